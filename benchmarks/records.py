"""How long the records take with 10,000 patients and 100,000 scans in them.

    python -m benchmarks.records [--database URL] [--kills RESULT.json]

The rows are made at random (a fixed seed) and stand for nobody. Then what the pages ask for is asked again
and again, each time for something else, through the same door as the pages use, permission and audit entry
included. Times are of one process on one machine, which is named.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url

from nerve_core.access.roles import LOCAL
from nerve_core.config import ROOT
from nerve_core.records.archive import Archive
from nerve_core.records.base import new_id, now
from nerve_core.records.models import (
    FileRow,
    MeasurementRow,
    PatientRow,
    PredictionRow,
    ReviewRow,
    ScanRow,
    VisitRow,
)
from nerve_core.records.place import write_whole
from nerve_core.records.records import NEWEST_FIRST, Filter, Records
from nerve_core.records.urgency import urgency_of

OUT = ROOT / "benchmarks" / "results" / "records.json"
PATIENTS, SCANS = 10_000, 100_000
TARGET_MS = 300
PLACES = (("median", "wrist"), ("median", "forearm"), ("ulnar", "elbow"), ("tibial", "ankle"))
READERS = tuple(f"reader-{k}@clinic.example" for k in range(12))
REPEATS = 40


def rows(patients: int, scans: int, seed: int = 0) -> Iterator[dict[type, list[dict[str, Any]]]]:
    """Rows by table, a few patients at a time."""
    chance, first = random.Random(seed), date(2020, 1, 1)
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    contour = np.round(np.stack([300 + 40 * np.cos(angle), 200 + 25 * np.sin(angle)], axis=1), 2).tolist()
    each = scans // patients
    for begin in range(0, patients, 500):
        made: dict[type, list[dict[str, Any]]] = {
            table: []
            for table in (PatientRow, VisitRow, FileRow, ScanRow, PredictionRow, ReviewRow, MeasurementRow)
        }
        for number in range(begin, min(begin + 500, patients)):
            patient = new_id()
            made[PatientRow].append(
                {"id": patient, "pseudonym": f"P-{number:06d}-{chance.randrange(10**6):06d}"}
            )
            days = sorted(chance.sample(range(2000), min(4, each)))
            visits = [
                {"id": new_id(), "patient_id": patient, "date": first + timedelta(days=day)} for day in days
            ]
            made[VisitRow] += visits
            for k in range(each):
                _scan(made, chance, patient, visits[k % len(visits)], contour)
        yield made


def _scan(
    made: dict[type, list[dict[str, Any]]],
    chance: random.Random,
    patient: str,
    visit: dict[str, Any],
    contour: list[list[float]],
) -> None:
    scan, said = new_id(), new_id()
    nerve, site = chance.choice(PLACES)
    p, area = chance.random(), chance.uniform(4, 20)
    verdict = "uncertain" if 0.4 < p < 0.6 else "affected" if p > 0.5 else "unaffected"
    urgency, reasons = urgency_of(nerve, site, verdict, p, area)
    reviewed = chance.random() < 0.7
    sha256 = f"{chance.getrandbits(256):064x}"
    saved = now() - timedelta(seconds=chance.randrange(10**8))
    made[FileRow].append({"sha256": sha256, "size": 200_000, "extension": ".dcm"})
    made[ScanRow].append(
        {
            "id": scan,
            "patient_id": patient,
            "visit_id": visit["id"],
            "sha256": sha256,
            "source_sha256": sha256,
            "frame": 0,
            "day": visit["date"],
            "height": 480,
            "width": 640,
            "nerve": nerve,
            "site": site,
            "side": chance.choice(("left", "right")),
            "spacing_row": 0.08,
            "spacing_column": 0.08,
            "saved": saved,
            "saved_by": chance.choice(READERS),
            "verdict": verdict,
            "p_affected": p,
            "area_mm2": area,
            "urgency": urgency,
            "reasons": reasons,
            "reviewed": reviewed,
            "reading": verdict if reviewed else None,
        }
    )
    nerves = [
        {"p_affected": p, "verdict": verdict, "contour": contour, "area_mm2": area, "centroid": [300, 200]}
    ]
    made[PredictionRow].append(
        {
            "id": said,
            "scan_id": scan,
            "digest": f"{chance.getrandbits(256):064x}",
            "model": "research",
            "version": "1",
            "verdict": verdict,
            "p_affected": p,
            "nerves": nerves,
            "made": saved,
            "made_by": READERS[0],
        }
    )
    sizes = {
        "scan_id": scan,
        "number": 0,
        "unit": "mm",
        "area": area,
        "perimeter": 12.0,
        "equivalent_diameter": 3.5,
        "width": 5.0,
        "height": 2.5,
        "flattening": 2.0,
        "circularity": 0.8,
        "depth": 7.0,
        "echo": 80.0,
        "hypoechoic": {"yen": 0.5, "maximum_entropy": 0.4},
    }
    made[MeasurementRow].append({**sizes, "prediction_id": said, "review_id": None})
    if reviewed:
        review = new_id()
        made[ReviewRow].append(
            {
                "id": review,
                "scan_id": scan,
                "prediction_id": said,
                "reviewer": chance.choice(READERS),
                "agrees": True,
                "reading": verdict,
                "contours": [contour],
                "corrected": False,
                "comment": "",
                "made": saved + timedelta(hours=1),
            }
        )
        made[MeasurementRow].append({**sizes, "prediction_id": None, "review_id": review})


def fill(archive: Archive, patients: int, scans: int) -> None:
    """Put the rows in."""
    for made in rows(patients, scans):
        with archive.writing() as session:
            for table, values in made.items():
                session.execute(insert(table), values)
    if not archive.is_sqlite:
        with archive.connection() as connection:  # what the server does by itself within a minute
            connection.execute(text("VACUUM ANALYZE"))


def asked(records: Records, seed: int = 1) -> dict[str, Callable[[], Any]]:
    """What the pages ask for, each time for something else."""
    chance = random.Random(seed)
    some = [found.id for page in (1, 20, 150) for found in records.search(page=page, size=60).items]

    def day() -> date:
        return date(2020, 1, 1) + timedelta(days=chance.randrange(1500))

    def between() -> Filter:
        since = day()
        return Filter(since=since, until=since + timedelta(days=30), nerve="ulnar")

    return {
        "worklist, first page": lambda: records.worklist(),
        "worklist, newest first": lambda: records.worklist(order=NEWEST_FIRST),
        "worklist, page 500": lambda: records.worklist(page=500),
        "worklist, unread of one nerve": lambda: records.worklist(Filter(nerve="ulnar", reviewed=False)),
        "worklist, text and verdict": lambda: records.worklist(
            Filter(text=f"{chance.randrange(1000):03d}", verdict="affected")
        ),
        "worklist, a month of one nerve": lambda: records.worklist(between()),
        "worklist, since a day": lambda: records.worklist(Filter(since=day())),
        "worklist, newest of one nerve": lambda: records.worklist(Filter(nerve="tibial"), order=NEWEST_FIRST),
        "worklist, of one reader": lambda: records.worklist(Filter(reviewer=chance.choice(READERS))),
        "search by part of the pseudonym": lambda: records.search(f"{chance.randrange(1000):03d}"),
        "search, nothing found": lambda: records.search("nobody"),
        "filters to choose from": lambda: records.choices(),
        "patient page": lambda: records.patient(chance.choice(some)),
        "course of a patient": lambda: records.courses(chance.choice(some)),
    }


def timed(act: Callable[[], Any], repeats: int = REPEATS) -> dict[str, float]:
    """Median and 95th percentile of an act and its mean time on the processor, ms, after three uncounted."""
    for _ in range(3):
        act()
    spent, own = [], time.process_time()
    for _ in range(repeats):
        began = time.perf_counter()
        act()
        spent.append(1e3 * (time.perf_counter() - began))
    own = 1e3 * (time.process_time() - own) / repeats
    return {
        "n": repeats,
        "median_ms": round(float(np.median(spent)), 1),
        "processor_ms": round(own, 1),
        "p95_ms": round(float(np.percentile(spent, 95)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--database", default="", help="SQLAlchemy URL of an empty database (default: SQLite)"
    )
    parser.add_argument("--kills", type=Path, help="JSON that tests.records.hammer printed, to keep with it")
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--scans", type=int, default=SCANS)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    found: dict[str, Any] = json.loads(args.out.read_text()) if args.out.exists() else {}
    if args.kills is not None:
        kind = make_url(args.database or "sqlite://").get_backend_name()
        found.setdefault("kills", {})[kind] = json.loads(args.kills.read_text())
    else:
        with tempfile.TemporaryDirectory() as folder:
            archive = Archive(Path(folder), args.database)
            began = time.perf_counter()
            fill(archive, args.patients, args.scans)
            filled = time.perf_counter() - began
            acts = asked(Records(LOCAL, archive))
            found.setdefault("times", {})[archive.url.get_backend_name()] = {
                "patients": args.patients,
                "scans": args.scans,
                "fill_s": round(filled, 1),
                "load": round(os.getloadavg()[0], 1),
                "processor": platform.processor() or platform.machine(),
                "cores": os.cpu_count(),
                "acts": {name: timed(act) for name, act in acts.items()},
            }
            archive.close()
    write_whole(args.out, (json.dumps(found, indent=1) + "\n").encode())
    args.out.chmod(0o644)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
