"""Nodes: devices that do things for the gateway. Registry, pairing, policy and invokes; `host` is a node itself."""
