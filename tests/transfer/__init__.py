"""Tests of the move, on real sockets and real files."""
