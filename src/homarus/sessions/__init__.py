"""Sessions: keys, rows, transcripts, reset."""
