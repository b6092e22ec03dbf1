"""The archive: every event for ever, in MongoDB. Reads, writes, and finishes the work of dead processes."""
