"""What the course adds."""
