"""Support: tools that are independent of the chat."""
