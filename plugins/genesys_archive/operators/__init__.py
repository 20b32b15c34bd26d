"""Tasks of the archive."""
