"""The security audit: names every weaker mode an installation is in, how grave it is, where it is set, and the fix."""
