"""Compression of answers, for clients that can read it.

Only whole pages and JSON. An event stream never: its bytes go out as they come. A page may contain both the token and
other users' words without harm: the token is masked anew in each, so the compressed size reveals nothing (BREACH).
"""

from __future__ import annotations

import gzip

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

KINDS = {"text/html", "application/json"}
MIN_COMPRESSED_BYTES = 1_024
"""Bytes. A smaller answer fits into a packet anyway."""

LEVEL = 5
"""Out of 9: the rest takes twice the time for a hundredth of the size."""

ONE_PIECE_BYTES = 128 * 1024
LONG_LEVEL = 1
"""A longer answer is compressed less, and three times as fast: the process serves no other request meanwhile."""


class Compression(OutputTransform):
    def __init__(self, request: HTTPServerRequest) -> None:
        self._request = request

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        if finishing and len(chunk) >= MIN_COMPRESSED_BYTES and _is_for_us(headers):
            headers.add("Vary", "Accept-Encoding")
            if accepts_gzip(self._request.headers):
                chunk = gzip.compress(chunk, LEVEL if len(chunk) < ONE_PIECE_BYTES else LONG_LEVEL, mtime=0)
                headers["Content-Encoding"] = "gzip"
                headers["Content-Length"] = str(len(chunk))
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        return chunk


def accepts_gzip(headers: HTTPHeaders) -> bool:
    """Returns True if the client accepts gzip (RFC 9110, 12.5.3)."""
    said = {}
    for part in headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, weight = part.partition(";")
        said[coding.strip()] = weight.replace(" ", "")
    weight = said.get("gzip", said.get("*", "q=0"))
    return not weight.startswith("q=") or weight.strip("q=0.") != ""


def _is_for_us(headers: HTTPHeaders) -> bool:
    kind = headers.get("Content-Type", "").partition(";")[0]
    return kind in KINDS and "Content-Encoding" not in headers
