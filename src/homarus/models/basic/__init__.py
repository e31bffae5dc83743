"""`homarus/basic`: the built-in assistant without a language model, which works with no key and no network."""
