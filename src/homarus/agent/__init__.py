"""The agent: a turn in, events out. It knows no gateway, no pipeline and no channel."""
