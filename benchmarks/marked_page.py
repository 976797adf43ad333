"""Pages written by hand around tables written by a command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerve_core.errors import DataError


@dataclass(frozen=True)
class MarkedPage:
    """A page whose part between two markers is written from results.

    Attributes:
        path: of the page, Markdown.
        mark: name in the markers ``<!-- mark: begin -->`` and ``<!-- mark: end -->``.
        section: Markdown of one entry of the results, by its name.
        command: writes the results.
    """

    path: Path
    mark: str
    section: Callable[[str, Mapping[str, Any]], str]
    command: str

    @property
    def begin(self) -> str:
        """Marker before the tables."""
        return f"<!-- {self.mark}: begin -->"

    @property
    def end(self) -> str:
        """Marker behind them."""
        return f"<!-- {self.mark}: end -->"

    def rewritten(self, page: str, results: Mapping[str, Any]) -> str:
        """The page with fresh tables between its markers.

        Raises:
            DataError: a marker is missing.
        """
        if page.count(self.begin) != 1 or page.count(self.end) != 1:
            raise DataError(f"docs/{self.path.name} must hold {self.begin} and {self.end} once each.")
        before, rest = page.split(self.begin)
        parts = [self.section(name, figures) for name, figures in results.items()]
        return f"{before}{self.begin}\n" + "\n\n".join(parts) + f"\n{self.end}{rest.split(self.end)[1]}"

    def write(self, results: Path) -> int:
        """Rewrite the page from a JSON file, whole or not at all; the exit status of its command."""
        try:
            if not results.exists():
                raise DataError(f"Nothing is measured yet; run {self.command} first.")
            page = self.path.read_text(encoding="utf-8")
            text = self.rewritten(page, json.loads(results.read_text(encoding="utf-8")))
        except DataError as fault:
            print(fault, file=sys.stderr)
            return 1
        partial = self.path.with_name(f".{self.path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, self.path)
        return 0
