"""The rooms' logs: a Redis Stream each, changed by scripts."""
