"""A chat at a desk: a MongoDB and a Redis of its own. Never deployed."""
