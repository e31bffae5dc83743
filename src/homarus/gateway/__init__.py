"""The gateway: one port for WebSocket and HTTP clients, one registry of operations, one event hub."""

from homarus import certificates

certificates.defer()
