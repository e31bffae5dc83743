"""IRC: one connection per account."""
