"""The tools every agent has, one per module."""
