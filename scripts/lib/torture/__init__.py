"""A private world of servers that is broken on purpose, and a judge who looks whether a message was lost."""
