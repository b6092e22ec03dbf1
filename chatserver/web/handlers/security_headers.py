"""Security headers: restrictions that every answer sets in the browser."""

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
    # Nothing of it may stay readable in this browser after its user has signed out.
    "Cache-Control": "no-store",
}

HTTPS_ONLY = f"max-age={365 * 24 * 3600}"
"""Strict-Transport-Security: after one visit a browser does not come without TLS, for a year."""
