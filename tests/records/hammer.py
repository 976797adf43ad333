"""Writers that save until they are killed, and what must hold afterwards.

    python -m tests.records.hammer FOLDER --rounds 200

Each round starts the writers as processes of their own and kills all of them (SIGKILL) at a random moment.
What a writer was told is saved, it writes down beside the records; after each round the records are opened
afresh, and everything written down must be there, whole.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sqlalchemy import func, select

from nerve_core.access.roles import LOCAL
from nerve_core.inference.review import Reading
from nerve_core.records.archive import Archive
from nerve_core.records.models import MeasurementRow, PredictionRow, ReviewRow, ScanRow
from nerve_core.records.records import About, Records
from tests.records import made

MOST_NOTES = 24
"""Most scans and readings that are accepted in a round before the kill."""


@dataclass
class Tally:
    """What came of all rounds.

    Attributes:
        kills: rounds, each the kill of all writers at one random moment.
        accepted: scans and readings that a writer was told are saved.
        lost: of these, not found, or with another content.
        in_flight: saved whole in the moment of the kill, before the writer was told.
        half: scans without their prediction or measurement.
        stray: files that a kill left without a row, for ``verify --tidy``.
        problems: sentences of the check of the database, the files and the audit log.
    """

    kills: int = 0
    accepted: int = 0
    lost: int = 0
    in_flight: int = 0
    half: int = 0
    stray: int = 0
    problems: int = 0
    entries: int = 0
    seconds: float = 0.0


def content_of(number: int) -> bytes:
    """A small picture of its own for each number."""
    pixels = np.random.default_rng(number).integers(0, 255, made.SIZE, np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def write(archive: Archive, notes: Path, first: int) -> None:
    """Save scans and readings for ever, and note each as soon as it is accepted."""
    records = Records(LOCAL, archive)
    out = os.open(notes, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    prediction, outline = made.prediction(), (made.circle(12),)
    for number in range(first, first + 10**6):
        content = content_of(number)
        saved = records.save(
            f"P-{number % 40}", content, made.scan_of(content), prediction, About("median", "wrist"),
            config={"name": "research"}, deidentify=None,
        )  # fmt: skip
        note(out, saved.scan, hashlib.sha256(content).hexdigest(), "")
        if number % 3 == 0:
            review = records.review(saved.scan, Reading(True, "affected", contours=outline))
            note(out, saved.scan, "", review.id)


def note(out: int, *words: str) -> None:
    """One line, in one write: whole or not there."""
    os.write(out, (json.dumps(words) + "\n").encode())


def forked(work: Callable[[], Any]) -> int:
    """Do work in a process of its own; its identifier."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def check(archive: Archive, notes: list[tuple[str, str, str]], tally: Tally, result: Path) -> None:
    """Count what is lost, half there or broken, and leave the counts as JSON."""
    with archive.reading() as session:
        scans = dict(session.execute(select(ScanRow.id, ScanRow.sha256)).all())
        reviews = set(session.scalars(select(ReviewRow.id)))
        has = {row: set(session.scalars(select(row.scan_id))) for row in (PredictionRow, MeasurementRow)}
        sized = set(session.scalars(select(MeasurementRow.review_id)))
        twice = session.scalar(select(func.count()).select_from(ScanRow)) - session.scalar(
            select(func.count(func.distinct(ScanRow.source_sha256)))
        )
    tally.accepted = len(notes)
    tally.lost = sum(
        (bool(sha) and scans.get(scan) != sha) or (bool(review) and review not in reviews)
        for scan, sha, review in notes
    )
    tally.half = (
        sum(scan not in found for scan in scans for found in has.values()) + len(reviews - sized) + twice
    )
    tally.in_flight = len(scans) + len(reviews) - tally.accepted
    health = Records(LOCAL, archive).verify()
    tally.problems, tally.entries = len(health.problems), health.entries
    tally.stray = sum(1 for _ in archive.files.addresses()) - len(scans)
    for problem in health.problems:
        print(problem, file=sys.stderr)
    result.write_text(json.dumps(asdict(tally)))


def await_moment(folder: Path, chance: random.Random, most: int) -> None:
    """Wait for a random moment, counted in what was accepted, so that slow machines are hit in saving."""

    def noted() -> int:
        return sum(path.stat().st_size for path in folder.glob("notes-*")) // 100

    wanted, until = noted() + chance.randint(0, most), time.monotonic() + 20
    while noted() < wanted and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(chance.uniform(0.0, 0.1))


def warm_up() -> None:
    """Load everything that saving needs, so that the writers begin at once; nothing stays open."""
    with tempfile.TemporaryDirectory() as place:
        archive = Archive(Path(place))
        content = content_of(0)
        saved = Records(LOCAL, archive).save("P", content, made.scan_of(content), made.prediction())
        Records(LOCAL, archive).review(saved.scan, Reading(True, "affected", contours=(made.circle(12),)))
        archive.close()


def run(folder: Path, rounds: int, writers: int, seed: int, database: str, most: int) -> Tally:
    """All rounds; see the module."""
    chance = random.Random(seed)
    tally, began = Tally(), time.monotonic()
    key = folder / "keys"
    key.write_text("k1 " + "A" * 43 + "=\n")
    key.chmod(0o600)

    def opened() -> Archive:
        return Archive(folder / "records", database, key)

    warm_up()

    for number in range(rounds):
        children = [
            forked(partial(write, opened(), folder / f"notes-{k}", 10**9 * (k + 1) + 10**6 * number))
            for k in range(writers)
        ]
        await_moment(folder, chance, most)
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            _, status = os.waitpid(child, 0)
            if not os.WIFSIGNALED(status):
                raise SystemExit("A writer ended by itself; see what it said above.")
        tally.kills += 1
        notes = [
            tuple(json.loads(line))
            for path in sorted(folder.glob("notes-*"))
            for line in path.read_text().splitlines()
        ]
        if not (folder / "records").exists() and not notes:
            continue
        checker = forked(partial(check, opened(), notes, tally, folder / "tally.json"))
        if os.waitpid(checker, 0)[1]:
            raise SystemExit("The records could not be checked; see what was said above.")
        tally = Tally(**json.loads((folder / "tally.json").read_text()))
        if tally.lost or tally.half or tally.problems:
            break
    tally.seconds = round(time.monotonic() - began, 1)
    return tally


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", default="")
    parser.add_argument("--most", type=int, default=MOST_NOTES)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    done = run(args.folder, args.rounds, args.writers, args.seed, args.database, args.most)
    print(json.dumps(asdict(done)))
    sys.exit(bool(done.lost or done.half or done.problems))
