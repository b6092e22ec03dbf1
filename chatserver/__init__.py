"""Harbour: a chat that never drops a message. ARCHITECTURE.md is the map."""

__version__ = "0.1.0"
