"""OpenClaw's own clients against Homarus, and Homarus's clients against OpenClaw. Run by `make conformance`."""
