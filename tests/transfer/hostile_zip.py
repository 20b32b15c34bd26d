"""Build a zip record by record, so that each record can lie on its own."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field


@dataclass
class Part:
    """One member; what is ``None`` is told truthfully, in the local header (``l_``) and the directory (``c_``)."""

    name: bytes = b"call.wav"
    data: bytes = b"RIFF and so on " * 20
    method: int = 8
    flags: int = 0
    mode: int = 0
    extra: bytes = b""
    central_extra: bytes = b""
    descriptor: bytes | None = None
    packed: bytes | None = None
    before: bytes = b""
    local: dict[str, object] = field(default_factory=dict)
    central: dict[str, object] = field(default_factory=dict)

    def facts(self) -> dict[str, object]:
        """What both headers say of an honest member."""
        packed = self.packed
        if packed is None:
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = deflate.compress(self.data) + deflate.flush() if self.method == 8 else self.data
        return {
            "name": self.name,
            "packed": packed,
            "crc": zlib.crc32(self.data),
            "compressed": len(packed),
            "size": len(self.data),
            "method": self.method,
            "flags": self.flags,
            "signature": None,
        }


def build(
    *parts: Part,
    comment: bytes = b"",
    end: dict[str, int] | None = None,
    lead: bytes = b"",
    tail: bytes = b"",
    end_64: bytes = b"",
    shift: int = 0,
) -> bytes:
    """Return the zip of these parts."""
    body, directory = bytearray(lead), b""
    for part in parts:
        body += part.before
        offset = part.central.get("offset", len(body) + shift)
        facts = part.facts()
        body += _local(part, facts | part.local)
        body += facts["packed"]
        body += part.descriptor or b""
        directory += _central(part, facts | part.central, offset)
    told = {"disk": 0, "cd_disk": 0, "here": len(parts), "entries": len(parts)}
    told |= {"cd_bytes": len(directory), "cd_offset": len(body) + shift, "comment": len(comment)} | (end or {})
    record = struct.pack("<4s4H2IH", b"PK\x05\x06", *told.values())
    return bytes(body) + directory + end_64 + record + comment + tail


def _local(part: Part, facts: dict) -> bytes:
    return (
        struct.pack(
            "<4s5H3I2H",
            facts["signature"] or b"PK\x03\x04",
            20,
            facts["flags"],
            facts["method"],
            0,
            33,
            facts["crc"],
            facts["compressed"],
            facts["size"],
            len(facts["name"]),
            len(part.extra),
        )
        + facts["name"]
        + part.extra
    )


def _central(part: Part, facts: dict, offset: int) -> bytes:
    return (
        struct.pack(
            "<4s6H3I5H2I",
            facts["signature"] or b"PK\x01\x02",
            0x031E,
            20,
            facts["flags"],
            facts["method"],
            0,
            33,
            facts["crc"],
            facts["compressed"],
            facts["size"],
            len(facts["name"]),
            len(part.central_extra),
            0,
            facts.get("disk", 0),
            0,
            part.mode << 16,
            offset,
        )
        + facts["name"]
        + part.central_extra
    )
