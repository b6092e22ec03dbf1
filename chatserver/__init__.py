"""Harbour: a chat that never drops a message. ARCHITECTURE.md is the map."""

__version__ = "0.2.0.dev0"
