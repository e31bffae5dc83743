"""The public test kit: fake platforms and models with faults on demand, and a clock that tests move."""
