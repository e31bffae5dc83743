"""The life of a message: inbox, access, routing, lanes, outbox."""
