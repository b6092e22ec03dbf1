"""Searches of messages."""
