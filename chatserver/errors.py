"""The errors raised on purpose, each with the HTTP status and the text that a client sees.

    ChatError
    ├── Malformed        400  it can't be read
    ├── SignInFirst      401  no session, or one that ended
    ├── WrongPassword    401  the same for an unknown name
    ├── Forbidden        403  signed in, but not allowed
    │   └── BadToken     403  the CSRF token is missing or wrong
    │       └── OtherOrigin 403  a page of another site asks
    ├── NotFound         404
    │   ├── RoomNotFound 404
    │   │   └── RoomClosed 404
    │   └── MessageNotFound 404
    ├── Taken            409  the name is in use
    ├── MessageDeleted   409  it can't be changed any more
    ├── SomebodyElse     409  the page belongs to another user than the session
    ├── TooLarge         413  the body is over the limit
    ├── WrongType        415  a body that is neither JSON nor a form
    ├── Misdirected      421  the request is meant for another host
    ├── Invalid          422  it can be read, and breaks a rule
    ├── TooMany          429  too much in so short a time: come again
    └── Unavailable      503  Redis or MongoDB is away: come again
        └── Overloaded   503  too much is in progress or waiting

`handlers.base` is the one place that turns them into an answer. Anything else that is raised is a bug of ours: 500.
"""

from __future__ import annotations

from typing import Literal

Refusal = Literal["csrf", "other_user", "origin", "host"]
"""The security log's word for a request that is refused because of its origin, host, token or user."""


class ChatError(Exception):
    """An answer other than success.

    `text` goes to the client as it stands, so it names no internal part; our own log says `because` instead.
    `retry_after` (whole seconds) becomes the header of that name. An error with a `refusal` goes to the security log.
    """

    status = 500
    text = "something went wrong on our side"
    retry_after: int | None = None
    refusal: Refusal | None = None

    def __init__(self, text: str | None = None, *, retry_after: int | None = None, because: str | None = None) -> None:
        if text is not None:
            self.text = text
        if retry_after is not None:
            self.retry_after = retry_after
        super().__init__(because or self.text)


class Malformed(ChatError):
    status = 400
    text = "the request can't be read"


class SignInFirst(ChatError):
    status = 401
    text = "sign in first"


class WrongPassword(ChatError):
    status = 401
    text = "wrong name or password"


class Forbidden(ChatError):
    status = 403
    text = "you can't do that"


class BadToken(Forbidden):
    refusal: Refusal | None = "csrf"
    text = "invalid csrf token"


class OtherOrigin(BadToken):
    refusal = "origin"


class NotFound(ChatError):
    status = 404
    text = "not found"


class RoomNotFound(NotFound):
    text = "room not found"


class RoomClosed(RoomNotFound):
    """The room existed and is gone for good. Its stream answers 204: don't come back."""


class MessageNotFound(NotFound):
    text = "message not found"


class MessageDeleted(ChatError):
    status = 409
    text = "the message was deleted"


class Taken(ChatError):
    status = 409
    text = "that name is taken"


class SomebodyElse(ChatError):
    refusal = "other_user"
    status = 409
    text = "signed in as somebody else"


class TooLarge(ChatError):
    status = 413
    text = "the body is too large"


class WrongType(ChatError):
    status = 415
    text = "send JSON (Content-Type: application/json)"


class Misdirected(ChatError):
    refusal = "host"
    status = 421
    text = "no such site here"


class Invalid(ChatError):
    status = 422
    text = "that breaks a rule"


class TooMany(ChatError):
    status = 429
    text = "that was too much at once, try again in a moment"
    retry_after = 1

    def __init__(self, what: str, text: str | None = None, *, retry_after: int | None = None) -> None:
        """`what`: the verb of the quota."""
        super().__init__(text, retry_after=retry_after)
        self.what = what


class Unavailable(ChatError):
    status = 503
    text = "the server is busy, try again in a moment"
    retry_after = 1


class Overloaded(Unavailable):
    """A bound was reached; Redis and MongoDB may well be there."""
