"""The columns of the catalog: name, type and meaning, spelt once.

They evolve only by adding: a new column goes to the end and may be null, and ``SCHEMA_VERSION`` counts it. A column is
never removed, renamed or given another type, since readers hold queries and tables of years ago against new files.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = 1
MOMENT = pa.timestamp("ms", tz="UTC")
"""Milliseconds, as Genesys gives them, and the unit that Athena, Trino, Spark and DuckDB all read as a timestamp."""
TEXTS = pa.list_(pa.string())
NAMED = pa.list_(pa.struct([pa.field("id", pa.string()), pa.field("name", pa.string())]))


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``required`` ones are never null."""

    name: str
    type: pa.DataType
    meaning: str
    required: bool = False

    def field(self) -> pa.Field:
        """Return it as Arrow has it; the meaning travels in the file."""
        return pa.field(self.name, self.type, nullable=not self.required, metadata={"meaning": self.meaning})


COLUMNS = (
    Column("org", pa.string(), "id of the Genesys Cloud organisation", required=True),
    Column("conversation_id", pa.string(), "Genesys' conversationId", required=True),
    Column("recording_id", pa.string(), "Genesys' recordingId", required=True),
    Column("part", pa.int32(), "number of the file within its recording, from 0", required=True),
    Column("timezone", pa.string(), "IANA zone whose calendar day `date` is", required=True),
    Column("started_at", MOMENT, "start of the conversation"),
    Column("ended_at", MOMENT, "end of the conversation"),
    Column("conversation_milliseconds", pa.int64(), "from start to end of the conversation"),
    Column("duration_milliseconds", pa.int64(), "length of the sound, as the file's own structure tells"),
    Column("direction", pa.string(), "originating direction: inbound or outbound"),
    Column("media_types", TEXTS, "media of the conversation's sessions, sorted"),
    Column("ani", pa.string(), "caller's address without scheme and parameters"),
    Column("ani_e164", pa.string(), "the same as E.164; null where it is no telephone number"),
    Column("ani_raw", pa.string(), "the same as Genesys said it"),
    Column("dnis", pa.string(), "called address without scheme and parameters"),
    Column("dnis_e164", pa.string(), "the same as E.164; null where it is no telephone number"),
    Column("dnis_raw", pa.string(), "the same as Genesys said it"),
    Column("agents", NAMED, "agents, in the order of the conversation's participants"),
    Column("queues", NAMED, "queues, in the order of the conversation's segments"),
    Column("wrap_up_codes", NAMED, "wrap-up codes"),
    Column("wrap_up_tags", TEXTS, "wrap-up tags"),
    Column("wrap_up_notes", TEXTS, "what agents typed after the call; empty unless the policy stores it"),
    Column("division_ids", TEXTS, "divisions of the conversation"),
    Column("external_tag", pa.string(), "tag that another system gave the conversation"),
    Column("flagged_reason", pa.string(), "why a participant was flagged"),
    Column("pii_masked", TEXTS, "groups of personal facts of which only the end is stored"),
    Column("pii_dropped", TEXTS, "groups of personal facts that are not stored"),
    Column("codec", pa.string(), "of the sound; null where the container does not tell"),
    Column("channels", pa.int32(), "of the sound"),
    Column("sample_rate_hz", pa.int32(), "of the sound"),
    Column("media_type", pa.string(), "media type by the bytes, not by declaration", required=True),
    Column("bytes", pa.int64(), "size of the audio object", required=True),
    Column("sha256", pa.string(), "SHA-256 of the audio object, hexadecimal", required=True),
    Column("key", pa.string(), "key of the audio object below the lake's prefix", required=True),
    Column("version_id", pa.string(), "S3 version of the audio object; null where the bucket keeps none"),
    Column("metadata_key", pa.string(), "key of the metadata document", required=True),
    Column("metadata_sha256", pa.string(), "SHA-256 of the metadata document, hexadecimal", required=True),
    Column("source", pa.string(), "way by which it came: batch, single or native_export", required=True),
    Column("job_id", pa.string(), "the source's job"),
    Column("url_host", pa.string(), "host that served the bytes"),
    Column("requested_at", MOMENT, "custody: when the job was submitted"),
    Column("acquired_at", MOMENT, "custody: when the part was fetched"),
    Column("stored_at", MOMENT, "custody: when the bucket took the audio object (its LastModified)", required=True),
    Column("tool_version", pa.string(), "version of the archive that wrote the metadata"),
)


def catalog_schema() -> pa.Schema:
    """Return the schema of every partition; its ``date`` is in the path and not in the file, as Hive wants it."""
    return pa.schema([column.field() for column in COLUMNS])
