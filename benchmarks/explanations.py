"""Why a leg is below its bar, where it is: what the numbers alone do not say. By the leg's key."""

from __future__ import annotations

WHY: dict[str, str] = {}
