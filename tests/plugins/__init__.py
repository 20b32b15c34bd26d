"""The adapters, each by what it translates: connections, errors, triggers, templates."""
