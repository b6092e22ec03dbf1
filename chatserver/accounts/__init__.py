"""Who somebody is: accounts, passwords, sessions, and finding users by name."""
