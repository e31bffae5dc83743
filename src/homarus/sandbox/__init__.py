"""Sandboxes: OS boundaries around tool processes."""
