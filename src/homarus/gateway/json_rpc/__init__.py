"""JSON-RPC 2.0: the same operations in the words of the wider world, over WebSocket and by POST."""
