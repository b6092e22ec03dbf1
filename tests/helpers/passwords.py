"""A hasher for passwords that protect nothing. `tests/accounts/test_hashing.py` is about the real one."""

from __future__ import annotations

from argon2 import PasswordHasher

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
