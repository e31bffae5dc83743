"""Tools: what an agent can do, declared with its effects and run through one choke point."""
