"""A node without a screen: lets a gateway run, look up and announce things on this machine, as its owner allows."""
