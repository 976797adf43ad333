"""What happens to the records on a disk that fills up, and on one that may only be read; prints JSON.

    python -m tests.records.narrow_disk FOLDER [--limit BYTES]

FOLDER lies on a small disk of its own, mounted for this process alone; with ``--limit`` instead, no file may
grow beyond so many bytes.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

from nerve_core.access.roles import LOCAL
from nerve_core.records.archive import Archive
from nerve_core.records.errors import RecordsError
from nerve_core.records.records import Records
from tests.records import made
from tests.records.conftest import save


def fill(records: Records, first: int, most: int = 500) -> tuple[list[str], str]:
    """Save until it is refused: the scans accepted, and the sentence."""
    accepted: list[str] = []
    for seed in range(first, first + most):
        try:
            accepted.append(save(records, f"P-{seed}", seed).scan)
        except RecordsError as fault:
            return accepted, str(fault)
    return accepted, ""


def whole(records: Records, scans: list[str], first: int) -> bool:
    """Whether every accepted scan is there with its file and its prediction."""
    return all(
        records.content(scan) == made.png(seed) and records.scan(scan).prediction is not None
        for seed, scan in enumerate(scans, start=first)
    )


def said_by(act, *words) -> str:
    """The sentence with which an act is refused; empty where it is not."""
    try:
        act(*words)
    except RecordsError as fault:
        return str(fault)
    return ""


def main(folder: Path, limit: int | None) -> dict[str, object]:
    """Fill the disk, make room, go on; then forbid writing."""
    records = Records(LOCAL, Archive(folder / "records"))
    ballast = folder / "ballast"
    if limit is None:
        ballast.write_bytes(bytes(6_700_000))
    else:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    accepted, sentence = fill(records, 0)
    found: dict[str, object] = {"accepted": len(accepted), "sentence": sentence}
    if limit is None:
        ballast.unlink()
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    found["whole"] = whole(records, accepted, 0)
    health = records.verify()
    found["problems"] = [problem.said for problem in health.problems]
    found["files"] = sum(1 for _ in records.archive.files.addresses()) - len(accepted)
    found["parts"] = len(list(folder.rglob("*.part")))
    more, _ = fill(records, 1000, most=2)
    found["goes on"] = len(more)
    if limit is None:
        records.archive.close()
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        found["read-only save"] = said_by(save, records, "P-x", 2000)
        found["read-only read"] = said_by(records.scan, accepted[0])
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        found["whole after"] = whole(Records(LOCAL, Archive(folder / "records")), accepted, 0)
    return found


if __name__ == "__main__":
    bound = int(sys.argv[3]) if len(sys.argv) > 3 else None
    print(json.dumps(main(Path(sys.argv[1]), bound)))
