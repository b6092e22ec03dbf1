"""What every answer tells the browser to forbid."""

from __future__ import annotations

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
        "require-trusted-types-for 'script'; trusted-types message-html"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Nothing of it shall be readable in this browser when its user has signed out.
    "Cache-Control": "no-store",
}

HTTPS_ONLY = f"max-age={365 * 24 * 3600}"
"""Strict-Transport-Security: a browser that was here once does not come without TLS, for a year."""
