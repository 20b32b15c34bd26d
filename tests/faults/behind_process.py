"""What stands behind a committed day, in a process of its own: its derivatives, then the webhook's deliveries."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from include.lake.store import LakeStore, client_config
from include.secret import Secret
from include.settings import ArchiveSettings
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.derive_day import DerivativeDesk, derive_day
from include.transfer.outbox import Outbox, SystemClock
from include.transfer.rendition import Rendition
from include.transfer.webhook import WebhookSender
from include.transfer.webhook_settings import WebhookSettings
from tests.story.night import DAY, ZONE
from tests.story.receiver import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from include.settings import LakeLocation


@dataclass(frozen=True)
class Order:
    """Everything that such a run is told, ``days`` to deliver among it; what it says goes into ``folder``."""

    s3: dict[str, str]
    location: LakeLocation
    org: str
    hook: str
    folder: Path
    days: tuple[str, ...]


def run_behind(order: Order) -> None:
    """Make the day's derivatives and deliver its events."""
    out = os.open(order.folder / "said", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    lake = LakeStore(boto3.client("s3", **order.s3, config=client_config()), order.location)
    settings = ArchiveSettings(lake=order.location, timezone=ZONE, state_dir=order.folder / "state")
    run = Rendition("wav", "mono")
    print(derive_day(DerivativeDesk(lake, settings, DerivativeSettings(), order.org, run), str(DAY)).sentence())  # noqa: T201 - to the file
    hook = WebhookSettings(url=Secret(order.hook), webhook_key=Secret(KEY))
    with WebhookSender(hook) as sender:
        for done in Outbox(lake, order.org, ZONE, hook, sender, SystemClock()).deliver(order.days):
            print(done.sentence())  # noqa: T201 - to the file
    sys.stdout.flush()
