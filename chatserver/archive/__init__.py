"""Every event for ever, in MongoDB: reading, writing, and finishing what another process began."""
