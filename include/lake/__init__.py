"""The destination: keys, write-once objects, plans, manifests and the day's commits."""
