"""The page's owner. A page belongs to the user for whom it was made; the cookies belong to the user who signed in
last."""

from __future__ import annotations

from tornado.httputil import HTTPServerRequest

from chatserver.errors import SomebodyElse
from chatserver.model.users import User
from chatserver.web.caller.bodies import is_form

HEADER = "X-User"
FIELD = "user"


def check_user(request: HTTPServerRequest, user: User, *, query: bool = False) -> None:
    """Raises SomebodyElse if the request names another user than this one, or a user that can't exist.

    A request that names none is judged by its cookies alone. `query`: the name may stand in the address, as that of a
    stream does; elsewhere a parameter of that name means something else.
    """
    said = set(request.headers.get_list(HEADER))
    if query:
        said.update(map(_text, request.query_arguments.get(FIELD, ())))
    if request.body_arguments and is_form(request):
        said.update(map(_text, request.body_arguments.get(FIELD, ())))
    if said and said != {str(user.id)}:
        raise SomebodyElse


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
