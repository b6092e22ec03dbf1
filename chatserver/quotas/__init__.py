"""How much anybody may do, and who counts it."""
