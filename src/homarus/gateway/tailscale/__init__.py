"""Tailscale: this machine's tailnet address, who is behind a connection, and serving through it."""
