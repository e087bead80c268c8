"""Nine distributed patterns as values and events: pure Python; no clock, no randomness, no I/O but in `runtime`."""
