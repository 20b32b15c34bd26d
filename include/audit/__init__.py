"""The evidence: what was expected, what became of it, and how a person reads it."""
