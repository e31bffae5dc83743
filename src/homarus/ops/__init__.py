"""Keeping an installation well: the doctor, and reading the log."""
