"""Presence in rooms, and typing notices."""
