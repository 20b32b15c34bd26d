"""What a person does with the lake from a shell; each module has ``HELP``, ``add_arguments`` and ``run``."""
