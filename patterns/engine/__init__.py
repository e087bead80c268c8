"""What every pattern stands on: steps and histories, processes and worlds, properties and the exhaustive check."""
