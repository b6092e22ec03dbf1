"""The chat as it is, but that a password is hashed with next to no work: `python -m tests.helpers.cheap_chat` is run
instead of `python -m chatserver`. Several workers are those of `chatserver` itself, which hash as they always do."""

from __future__ import annotations

import sys
from unittest.mock import patch

from chatserver import __main__ as chat
from tests.helpers.passwords import CHEAP

if __name__ == "__main__":
    with patch("chatserver.app.make_hasher", lambda: CHEAP):
        sys.exit(chat.main())
