"""What people write: verbs, pages of history, and formatting."""
