"""Speech: text becomes sound by programs of this machine or by services."""
