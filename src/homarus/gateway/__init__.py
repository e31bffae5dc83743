"""The gateway: one port for WebSocket and HTTP clients, one registry of operations, one event hub."""
