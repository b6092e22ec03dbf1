"""Quotas: limits on use, and their counters."""
