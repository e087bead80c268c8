"""Pictures of the patterns: pure scenes, one player that steps through them, charts and checked exercises."""
