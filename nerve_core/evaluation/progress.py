"""Progress of a long run as lines on standard error, which leaves standard output to the answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

EVERY_SECONDS = 5.0

Progress = Callable[[int, int], None]
"""Called with (done, in all)."""


def on_stderr(what: str) -> Progress:
    """A callback that prints ``done/total what`` at most every five seconds, and at the end."""
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= EVERY_SECONDS:
            last = now
            print(f"{done}/{total} {what}", file=sys.stderr, flush=True)

    return report
