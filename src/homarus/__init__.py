"""Homarus: a self-hosted AI assistant platform."""

from __future__ import annotations

__version__ = "0.1.0"
