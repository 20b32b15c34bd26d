"""What runs in the triggerer; without side effects, since a trigger may run twice."""
