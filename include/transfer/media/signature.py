"""Tell a file's kind by its first bytes, never by its name or what a header claims."""

from __future__ import annotations

import re
from dataclasses import dataclass

from include.transfer.media import mp3

HEAD_BYTES = 4096
"""How much of a file ``sniff`` likes to see; less is enough for most kinds."""


@dataclass(frozen=True, slots=True)
class MediaKind:
    """One kind of file: the extension and media type the archive gives it, and the other types that mean the same."""

    name: str
    extension: str
    media_type: str
    aliases: frozenset[str] = frozenset()
    audio: bool = True
    refused: bool = False


def _kind(name: str, media_type: str, *aliases: str, extension: str | None = None, **flags: bool) -> MediaKind:
    return MediaKind(name, extension or name, media_type, frozenset(aliases), **flags)


WAV = _kind("wav", "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav")
OGG = _kind("ogg", "audio/ogg", "application/ogg", "audio/opus", "audio/x-opus+ogg", "video/ogg")
MP3 = _kind("mp3", "audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/mpeg3", "audio/x-mpeg")
WEBM = _kind("webm", "video/webm", "audio/webm")
MKV = _kind("mkv", "video/x-matroska", "audio/x-matroska", "video/matroska", "audio/matroska")
FLAC = _kind("flac", "audio/flac", "audio/x-flac")
MP4 = _kind("mp4", "video/mp4", "audio/mp4", "audio/x-m4a", "audio/m4a", "video/quicktime")
M4A = _kind("m4a", "audio/mp4", "audio/x-m4a", "audio/m4a", "video/mp4")
AMR = _kind("amr", "audio/amr", "audio/amr-wb", "audio/3gpp")
JSON = _kind("json", "application/json", "text/json", "text/plain", audio=False)
EML = _kind("eml", "message/rfc822", "text/plain", audio=False)
ZIP = _kind("zip", "application/zip", "application/x-zip-compressed", "application/x-zip", audio=False)
HTML = _kind("html", "text/html", "application/xhtml+xml", audio=False, refused=True)
XML = _kind("xml", "application/xml", "text/xml", audio=False, refused=True)

_MAIL_FIELD = re.compile(
    rb"(?:received|return-path|delivered-to|from|to|subject|date|message-id|mime-version|dkim-signature|reply-to"
    rb"|content-type|x-[a-z0-9-]+|arc-[a-z-]+|authentication-results):[ \t]",
    re.IGNORECASE,
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|script|meta)\b", re.IGNORECASE)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def sniff(head: bytes) -> MediaKind | None:
    """Return the kind of a file whose first bytes these are, or ``None`` for one the archive does not know."""
    return _sniff_container(head) or _sniff_text(head)


def _sniff_container(head: bytes) -> MediaKind | None:
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return WAV if head[8:12] == b"WAVE" else None
    for magic, kind in ((b"OggS\0", OGG), (b"fLaC", FLAC), (b"#!AMR\n", AMR), (b"#!AMR-WB\n", AMR)):
        if head.startswith(magic):
            return kind
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _ebml_kind(head)
    if head[4:8] == b"ftyp":
        return M4A if head[8:12] in (b"M4A ", b"M4B ") else MP4
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP
    return MP3 if mp3.starts_here(head) else None


def _ebml_kind(head: bytes) -> MediaKind | None:
    # DocType (RFC 8794, 11.2.7): id 42 82, ASCII. Its size is a number of one to eight bytes, the short form of a small
    # number being usual and the long forms legal.
    found = re.search(
        rb"\x42\x82(?:[\x81-\x90]|[\x40\x20\x10\x08\x04\x02\x01]\0*[\x01-\x10])([a-z]+)", head[:HEAD_BYTES]
    )
    return {b"webm": WEBM, b"matroska": MKV}.get(found[1]) if found else None


def _sniff_text(head: bytes) -> MediaKind | None:
    text = _as_ascii(head)
    if text.startswith(b"<"):
        if text.startswith(b"<?xml") and not _HTML.search(text[:HEAD_BYTES]):
            return XML
        return HTML if _HTML.search(text[:HEAD_BYTES]) else (XML if re.match(rb"<[A-Za-z!?]", text) else None)
    if re.match(rb"\{\s*[\"}]|\[\s*[\[\]{\"\dtfn-]", text) or text in (b"{", b"["):
        return JSON
    return EML if _MAIL_FIELD.match(text) else None


def _as_ascii(head: bytes) -> bytes:
    """Drop a byte order mark and the zeros of UTF-16, enough to look at the first characters."""
    for mark in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            body = head[len(mark) :]
            return (body if len(mark) > 2 else body.replace(b"\0", b"")).lstrip()  # noqa: PLR2004 - UTF-8's mark
    return head.lstrip()
