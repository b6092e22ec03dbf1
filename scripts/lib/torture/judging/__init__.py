"""Whether what was promised was kept."""
