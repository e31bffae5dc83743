"""Work that starts by itself: jobs at set times."""
