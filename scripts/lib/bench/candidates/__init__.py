"""Who is measured: the chat, and others that do a part of its work."""

from __future__ import annotations

from bench.candidates.base import Candidate, Missing, Peer
from bench.candidates.centrifugo import Centrifugo
from bench.candidates.chat import Chat, Stores
from bench.candidates.floor import Floor
from bench.candidates.mercure import Mercure
from bench.candidates.nchan import Nchan
from bench.candidates.python_peers import SseStarlette, TornadoEcho, TornadoQueues

__all__ = ["PEERS", "Candidate", "Chat", "Missing", "Stores"]

PEERS: tuple[type[Peer], ...] = (Nchan, Floor, TornadoQueues, SseStarlette, Mercure, Centrifugo, TornadoEcho)
"""All but the chat itself, in the order of the tables."""
