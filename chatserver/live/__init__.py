"""What is open now: streams, the rooms they follow, and what passes between processes."""
