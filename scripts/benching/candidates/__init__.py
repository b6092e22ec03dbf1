"""Who is measured: the chat, and others that do a part of its work."""

from __future__ import annotations

from benching.candidates.base import Candidate, Missing
from benching.candidates.centrifugo import Centrifugo
from benching.candidates.chat import Chat, Stores
from benching.candidates.floor import Floor
from benching.candidates.mercure import Mercure
from benching.candidates.nchan import Nchan
from benching.candidates.python_peers import SseStarlette, TornadoEcho, TornadoQueues

__all__ = ["PEERS", "Candidate", "Chat", "Missing", "Stores"]

PEERS: tuple[type[Candidate], ...] = (Nchan, Floor, TornadoQueues, SseStarlette, Mercure, Centrifugo, TornadoEcho)
"""All but the chat itself, in the order of the tables."""
