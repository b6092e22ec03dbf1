"""Tools that know nothing of a chat."""
