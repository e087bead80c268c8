"""Event sourcing: the state is a fold of events, and events are only ever appended."""
