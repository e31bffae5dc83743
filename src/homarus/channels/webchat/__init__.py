"""WebChat: the chat page and every other client of the gateway."""
