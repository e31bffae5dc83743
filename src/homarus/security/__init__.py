"""Labels, the gate, redaction."""
