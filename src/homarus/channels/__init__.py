"""Channels: one folder per chat network."""
