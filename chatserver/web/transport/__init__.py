"""Connections and the work that is done for them: accepted, bounded, counted, closed."""
