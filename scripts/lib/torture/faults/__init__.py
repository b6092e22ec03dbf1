"""What breaks, and when."""
