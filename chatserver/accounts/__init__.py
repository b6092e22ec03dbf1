"""Accounts of users: passwords, sessions, and finding users by name."""
