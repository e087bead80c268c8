"""Two-phase commit: several databases commit one transaction together, or none of them does."""
