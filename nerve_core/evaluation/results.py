"""One store for every measured image of every method: an SQLite file that can be added to and asked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerve_core.errors import DataError
from nerve_core.evaluation.contours import ContourScore
from nerve_core.evaluation.scoring import Scored

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
"""Version of the tables, kept in the file's ``user_version``."""

SCHEMA = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, method TEXT NOT NULL, "set" TEXT NOT NULL, split TEXT NOT NULL,
    task TEXT NOT NULL, seed INTEGER NOT NULL, setup TEXT NOT NULL,
    UNIQUE (method, "set", split, task, seed, setup)
);
CREATE TABLE images (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    image TEXT NOT NULL, "group" TEXT NOT NULL, about TEXT NOT NULL
);
CREATE TABLE scores (
    image INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE, metric TEXT NOT NULL,
    value REAL NOT NULL, PRIMARY KEY (image, metric)
) WITHOUT ROWID;
CREATE TABLE costs (method TEXT PRIMARY KEY, figures TEXT NOT NULL);
CREATE INDEX images_of_run ON images (run);
"""

ABOUT = ("site", "nerve", "device", "kind", "source_image", "frame")
"""Columns of the manifest kept with an image, for tables by subgroup."""
OF_SCAN = ("size", "depth", "brightness")
"""Figures of a scan, whatever the method: those of :class:`nerve_core.evaluation.scoring.Scored`."""


@dataclass(frozen=True)
class Run:
    """What was measured: one method on one side of one set.

    Attributes:
        method: name of the method or of the weights.
        set: name of the set of scans.
        split: side of the group split, or the fold.
        task: ``contours`` on the scans as they are, or ``verdict`` on scans with pathology written in.
        seed: of the training.
        setup: size and length of the training, in words; empty for what is not trained here.
    """

    method: str
    set: str
    split: str = "test"
    task: str = "contours"
    seed: int = 0
    setup: str = ""


class ResultsStore:
    """A file of results. A run is added whole or not at all, so that an interrupted benchmark goes on.

    Args:
        path: of the SQLite file; made where it is missing.

    Raises:
        DataError: the file is no results store, was made by another version, or cannot be written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._connect() as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                if version == 0 and tables == 0:
                    # In one transaction: a second process that opens the file sees all tables or none.
                    connection.executescript(
                        f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;"
                    )
                elif version != FORMAT:
                    raise DataError(
                        f"{self.path.name} is a results store of version {version}, and this program reads "
                        f"version {FORMAT}; choose another file and measure again."
                    )
        except (sqlite3.Error, OSError) as fault:
            raise DataError(
                f"{self.path} cannot be used as a results store ({fault}); choose another file."
            ) from None

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=60)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            with connection:
                yield connection
        finally:
            connection.close()

    def has(self, run: Run) -> bool:
        """Whether the run is measured already."""
        with self._connect() as connection:
            return (
                connection.execute(f"SELECT 1 FROM runs WHERE {_WHICH}", astuple(run)).fetchone() is not None
            )

    def add(self, run: Run, scored: Sequence[Scored]) -> None:
        """Store a run's images; the same run measured before gives way. Unusable rows are left out."""
        with self._connect() as connection:
            connection.execute(f"DELETE FROM runs WHERE {_WHICH}", astuple(run))
            cursor = connection.execute(
                'INSERT INTO runs (method, "set", split, task, seed, setup) VALUES (?, ?, ?, ?, ?, ?)',
                astuple(run),
            )
            number = cursor.lastrowid
            for one in scored:
                if one.answer is None:
                    continue
                about = {name: one.row[name] for name in ABOUT if one.row.get(name)}
                cursor = connection.execute(
                    'INSERT INTO images (run, image, "group", about) VALUES (?, ?, ?, ?)',
                    (number, one.listed["image"], one.group, json.dumps(about)),
                )
                connection.executemany(
                    "INSERT INTO scores VALUES (?, ?, ?)",
                    [(cursor.lastrowid, name, value) for name, value in values_of(one).items()],
                )

    def add_cost(self, method: str, figures: Mapping[str, Any]) -> None:
        """Store what a method costs (parameters, operations, time, memory)."""
        with self._connect() as connection:
            connection.execute("REPLACE INTO costs VALUES (?, ?)", (method, json.dumps(dict(figures))))

    def costs(self) -> dict[str, dict[str, Any]]:
        """Costs by method."""
        with self._connect() as connection:
            return {name: json.loads(text) for name, text in connection.execute("SELECT * FROM costs")}

    def frame(self, task: str = "contours") -> pd.DataFrame:
        """One line an image: what the run was, ``image, group``, ``ABOUT``, and a column a metric."""
        import pandas as pd

        with self._connect() as connection:
            images = pd.read_sql(
                'SELECT images.id, method, "set", split, seed, setup, image, "group", about FROM images '
                "JOIN runs ON runs.id = images.run WHERE task = ? ORDER BY images.id",
                connection,
                params=(task,),
                index_col="id",
            )
            scores = pd.read_sql(
                "SELECT scores.* FROM scores JOIN images ON images.id = scores.image "
                "JOIN runs ON runs.id = images.run WHERE task = ?",
                connection,
                params=(task,),
            )
        about = [json.loads(text) for text in images.pop("about")]
        for name in ABOUT:
            images[name] = [one.get(name, "") for one in about]
        return images.join(scores.pivot(index="image", columns="metric", values="value"))


_WHICH = 'method = ? AND "set" = ? AND split = ? AND task = ? AND seed = ? AND setup = ?'


def values_of(one: Scored) -> dict[str, float]:
    """Every figure of one image by name; what is not known is left out.

    Contours: ``dice, iou, nsd, hd95_px, precision, recall``, with a click the same after ``click_`` (all
    nerves) and ``pointed_`` (the nerve pointed at). Verdict: ``p_affected`` and ``click_p_affected``, left
    out where no nerve was found, ``label``, ``severity`` and ``sham``. Of the scan itself ``OF_SCAN``, and
    ``ms``, the time of the prediction.
    """
    values: dict[str, float | None] = {"label": one.label, "has_nerve": one.has_nerve}
    values |= {name: getattr(one, name) for name in OF_SCAN}
    values |= {name: _number(one.row.get(name, "")) for name in ("severity", "sham")}
    for prefix, answer in (("", one.answer), ("click_", one.click_answer)):
        if answer is not None:
            values |= _contour(prefix, answer.contour) | {f"{prefix}p_affected": answer.p_affected}
            values |= _contour("pointed_", answer.pointed)
            values[f"{prefix}ms"] = answer.ms
    return {name: float(value) for name, value in values.items() if value is not None and value == value}


def _contour(prefix: str, score: ContourScore | None) -> dict[str, float]:
    names = ("dice", "iou", "nsd", "hd95_px", "precision", "recall")
    return {} if score is None else {f"{prefix}{name}": getattr(score, name) for name in names}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
