"""The gateway protocol: frames, errors, typed parameters and results of every operation, events, a Python client."""
