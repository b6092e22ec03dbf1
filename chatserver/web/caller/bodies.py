"""Request bodies: JSON or a form, read into a struct."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from tornado.httputil import HTTPServerRequest

from chatserver.errors import Malformed, WrongType

Body = TypeVar("Body", bound=msgspec.Struct)

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def is_json(request: HTTPServerRequest) -> bool:
    """Returns True for a JSON request. A body without a type counts too: programs that set none send JSON."""
    kind = content_type(request)
    return kind == "application/json" or kind.endswith("+json") or (not kind and bool(request.body))


def is_form(request: HTTPServerRequest) -> bool:
    return content_type(request) in _FORMS


def content_type(request: HTTPServerRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def read_body(request: HTTPServerRequest, kind: type[Body], malformed: str | None = None) -> Body:
    """Returns the body as a struct of this kind. Raises WrongType for a body that is neither JSON nor a form, and
    Malformed, with the given text, for one that can't be read as the struct."""
    try:
        if is_form(request):
            fields = {name: _text(values[-1]) for name, values in request.body_arguments.items()}
            return msgspec.convert(fields, kind, strict=False)
        if not is_json(request) and request.body:
            raise WrongType
        return msgspec.json.decode(request.body or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(malformed) from error


def json_field(request: HTTPServerRequest, name: str) -> str | None:
    """Returns a text field of a JSON object, whatever its other fields are; None if it is missing."""
    try:
        body: Any = msgspec.json.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


def _text(value: bytes) -> str:
    # Browsers send CRLF for every line end of a textarea.
    return value.decode("utf-8").replace("\r\n", "\n")
