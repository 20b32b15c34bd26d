"""Documents that cannot rot."""
