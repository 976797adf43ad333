"""Settings in one place, each read from an environment variable of the same name in capitals."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """What a site may set.

    Attributes:
        weights: which checkpoint to use (``NERVE_WEIGHTS``): ``research`` or ``open``.
        checkpoints: folder of the checkpoints (``NERVE_CHECKPOINTS``).
        samples: folder of the simulated sample scans (``NERVE_SAMPLES``).
        results: folder of measured benchmarks (``NERVE_RESULTS``), as the Data page shows them.
        device: ``cuda``, ``mps`` or ``cpu`` (``NERVE_DEVICE``); empty picks the best present.
        backend: ``torch`` or ``openvino`` (``NERVE_BACKEND``); empty picks the fastest present.
        upload_dir: where REST uploads are kept (``NERVE_UPLOAD_DIR``); None keeps nothing.
        max_upload_mb: largest file accepted, in MiB (``NERVE_MAX_UPLOAD_MB``).
        max_pixels: largest frame accepted, in px (``NERVE_MAX_PIXELS``).
        max_frames: most frames accepted in one file (``NERVE_MAX_FRAMES``).
        records: folder of saved patients' scans (``NERVE_RECORDS``); made at the first save, never before.
        database: of the records, as an SQLAlchemy URL (``NERVE_DATABASE``); empty is a file in that folder.
        records_key: file with the keys that lock the saved scans (``NERVE_RECORDS_KEY``); None locks none.
    """

    weights: str = "research"
    checkpoints: Path = ROOT / "checkpoints"
    samples: Path = ROOT / "data" / "samples"
    results: Path = ROOT / "benchmarks" / "results"
    device: str = ""
    backend: str = ""
    upload_dir: Path | None = None
    max_upload_mb: int = 200
    max_pixels: int = 40_000_000
    max_frames: int = 1_000
    records: Path = ROOT / "data" / "records"
    database: str = ""
    records_key: Path | None = None


def settings() -> Settings:
    """The settings in force now: the defaults, overridden by ``NERVE_*`` environment variables."""
    found: dict[str, object] = {}
    for name, default in Settings.__dataclass_fields__.items():
        text = os.environ.get(f"NERVE_{name.upper()}", "")
        if text:
            kind = default.type
            found[name] = int(text) if kind == "int" else Path(text) if "Path" in kind else text
    return Settings(**found)
