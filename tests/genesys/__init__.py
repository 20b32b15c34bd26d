"""The client of Genesys Cloud, against a scripted server on the loopback."""
