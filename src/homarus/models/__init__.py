"""Language models: the contract, wire codecs, providers and the built-in rule-based model."""
