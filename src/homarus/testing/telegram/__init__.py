"""A Bot API server for tests, with faults on demand."""
