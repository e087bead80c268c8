"""Nine distributed patterns as values and events: pure Python, without a clock, randomness or I/O (but in `runtime`)."""
