"""Connections and their requests: accepted, bounded, counted, closed."""
