"""Live delivery: open streams, the rooms they follow, and signals between processes."""
