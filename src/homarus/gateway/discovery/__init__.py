"""Bonjour: being found by clients on the same network, and finding gateways."""
