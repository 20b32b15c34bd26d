"""How fast the archive is beside the tools a user would pick instead: ``make bench``. Start reading in ``story.py``."""
