"""The model: cursors, events, changes, names. No I/O."""
