"""The source: Genesys Cloud under either wire contract, behind one door to the network."""
