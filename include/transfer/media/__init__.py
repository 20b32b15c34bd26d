"""What recordings look like from outside: signatures, and one structural walk per format. Pure, on a stream."""
