"""Proves and rebuilds what is stored."""
