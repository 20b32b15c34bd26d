"""Tests of what is deployed: compose file, image, policies, chart values."""
