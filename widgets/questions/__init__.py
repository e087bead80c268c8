"""What the chapters ask before anything is seen: one module a pattern, of its name."""
