"""The nine patterns as one course: the concept map, orders of reading, clauses of the sources, one story in several
patterns."""
