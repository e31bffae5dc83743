"""Wire codecs: pure translation between model contract types and what providers speak; no I/O."""
