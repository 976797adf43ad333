"""``deidentify``: take names, dates and burned-in text out of scans before they leave."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "take names, dates and text around the picture out of scans before they leave"
INTERMIXED = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``deidentify``."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="PNG, JPEG, TIFF, BMP or DICOM")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the cleaned files")
    parser.add_argument("--pseudonym", default="", help="what to call the patient in DICOM headers")
    parser.add_argument("--shift-dates", action="store_true", help="move dates back instead of removing them")
    parser.add_argument(
        "--preview",
        action="store_true",
        help="also write each scan before and after, side by side",
    )


def run(args: argparse.Namespace) -> int:
    """Clean every file; one that cannot be used is reported and the others still run.

    Returns:
        0, or 1 when any file could not be used.
    """
    from nerve_core.errors import NerveCoreError
    from nerve_core.files import write_whole
    from nerve_core.imaging.deidentify import deidentify, preview

    failed = 0
    options = {"pseudonym": args.pseudonym, "shift_dates": args.shift_dates}
    args.out.mkdir(parents=True, exist_ok=True)
    for path in args.files:
        try:
            data = path.read_bytes()
            if args.preview:
                shown = preview(data, path.name, **options)
                cleaned = shown.cleaned
                pair = _side_by_side(shown.before, shown.after)
                write_whole(args.out / f"{Path(cleaned.name).stem}-preview.png", pair)
            else:
                cleaned = deidentify(data, path.name, **options)
        except (NerveCoreError, OSError) as fault:
            failed += 1
            print(
                f"{path}: {fault if isinstance(fault, NerveCoreError) else fault.strerror}", file=sys.stderr
            )
            continue
        write_whole(args.out / cleaned.name, cleaned.data)
        print(f"{path} -> {args.out / cleaned.name}: {cleaned.blanked:.0%} of the picture blanked")
        print(f"  removed or replaced: {', '.join(cleaned.removed) or 'nothing'}")
        for caution in cleaned.cautions:
            print(f"  look: {caution}")
    return int(failed > 0)


def _side_by_side(before: object, after: object) -> bytes:
    import cv2
    import numpy as np

    done, png = cv2.imencode(".png", np.hstack([before, after]))  # type: ignore[list-item]
    assert done
    return png.tobytes()
