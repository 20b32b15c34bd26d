"""A day killed at every step of it, and by many at once."""
