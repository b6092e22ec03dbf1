"""Messages: verbs, pages of history, and formatting."""
