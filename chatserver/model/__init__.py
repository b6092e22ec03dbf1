"""The words of the domain: cursors, events, changes, names. No I/O."""
