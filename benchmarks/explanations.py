"""Why a leg is below its bar, where it is: what the numbers alone do not say. By the leg's key."""

from __future__ import annotations

_DISK = (
    "Both write the same pages of the page cache. The archive asks for a large file in ranges, waits for the head of "
    "each answer and judges it; what Python does for each file and each range comes on top"
)
_SMALL = (
    "Each recording is five exchanges (media, audio, look, metadata, look), a structure walk and a document; the rival "
    "does two, and neither looks nor describes. What is left of Python's share is spread over all of them"
)
_LOCK = "and in the one task of a zip it holds the interpreter lock"
_CORES = "The tasks share the cores with the source, and with the sink where there is one"
_SERVER = (
    "The server takes most of both cores, for the rival's objects as for ours, and gets twice as many from us: a "
    "metadata document and two looks for each recording. A faster client changes little here"
)

WHY: dict[str, str] = {
    "download-big": f"{_DISK}.",
    "download-singles": (
        f"{_DISK}. {_CORES}. The two are level: five rounds each, four times in one day, gave 0.91 to 1.04."
    ),
    "digest": (
        "The same bytes are hashed in a second thread while they come, which needs a core of its own beside the "
        "source's: with two cores source, receiving and hashing share them; openssl hashes alone."
    ),
    "null-singles": f"{_SMALL}. {_CORES}.",
    "null-big": (
        "The object's key holds its SHA-256, so the upload begins when the download has ended, and cannot overlap it: "
        "S3 does not rename. It is sent from the page cache by the kernel, unread."
    ),
    "null-deflated": f"{_SMALL}, {_LOCK}. Inflating is the largest share.",
    "null-stored": (
        f"{_SMALL}, {_LOCK}. Every page of every Ogg file is checked by its own CRC-32. At the bar source, sink and "
        "archive would keep both cores busy without a pause; two processes for one zip come nearer (rejected, ADR 17)."
    ),
    "weed-singles": f"{_SERVER}.",
    "weed-big": "The server takes most of both cores, and the upload begins when the download has ended.",
    "weed-deflated": f"{_SERVER}.",
    "weed-stored": f"{_SERVER}.",
    "growth": "Allocators keep what a thread once used; nothing grows with what arrives.",
    "memory": "Half of it is imports: botocore's and Python's own.",
}
