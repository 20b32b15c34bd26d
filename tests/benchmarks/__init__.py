"""Tests of the benchmark: its arithmetic, and that it runs and notices wrong bytes."""
