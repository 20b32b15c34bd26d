"""The former place of ``include.canonical``; kept while other work still imports it from here."""

from include.canonical import canonical_json, read_document, sha256_hex

__all__ = ["canonical_json", "read_document", "sha256_hex"]
