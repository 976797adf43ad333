"""Where the time of one prediction goes."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds by stage of one prediction."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.last = time.perf_counter()

    def mark(self, stage: str) -> None:
        """Book the time since the last mark on ``stage``."""
        now = time.perf_counter()
        self.spent[stage] = self.spent.get(stage, 0.0) + 1e3 * (now - self.last)
        self.last = now

    def read(self) -> dict[str, float]:
        """All stages and their ``total``; what is still open counts as postprocessing."""
        self.mark("postprocess")
        return {**self.spent, "total": sum(self.spent.values())}
