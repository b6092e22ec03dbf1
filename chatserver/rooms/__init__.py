"""Rooms, read marks, unread counts, and the list of rooms."""
