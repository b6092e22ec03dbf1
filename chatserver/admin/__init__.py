"""Administration: proves and rebuilds the stored data."""
