"""Tests of the story layer: a day from its plan to its commit, against the real sandbox and the real bucket."""
