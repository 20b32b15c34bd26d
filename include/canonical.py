"""One spelling for every JSON document in the lake, so that equal facts have equal bytes and one SHA-256."""

from __future__ import annotations

import hashlib
import json
from typing import cast


def canonical_json(document: object) -> bytes:
    """Return UTF-8 JSON with sorted keys, no insignificant space and one newline at the end.

    Raises:
        TypeError: when it holds a float, whose spelling differs between languages, or anything JSON has no word for,
            a key that is no text included.
    """
    _refuse_ambiguous(document)
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate cannot be encoded; it comes from a broken name at the source and must not sink the day.
    return text.encode("utf-8", errors="replace") + b"\n"


def read_document(body: bytes) -> dict[str, object]:
    """Parse a document written by ``canonical_json``.

    Raises:
        ValueError: when it is not a JSON object.
    """
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - a wrong document, not a wrong argument
    return cast("dict[str, object]", document)


def sha256_hex(body: bytes) -> str:
    """Return the SHA-256 of the bytes in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def _refuse_ambiguous(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float has no canonical spelling: {value!r}")
    if isinstance(value, dict):
        for key in value:
            # json.dumps would write 1, 1.0 and True as text, and two keys of the document could become one.
            if not isinstance(key, str):
                raise TypeError(f"a key must be text: {key!r}")
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for inner in value:
        if type(inner) is not str:  # most are, and a call for each would cost more than writing the document
            _refuse_ambiguous(inner)
