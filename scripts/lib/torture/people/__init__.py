"""Who writes, changes and reads, and what they saw."""
