"""What the workshop shows besides the learner's own code: its questions."""
