"""What every channel shares: chunking, markup, pacing and mentions."""
