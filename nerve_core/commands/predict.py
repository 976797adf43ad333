"""``predict``: outline the nerves of scans and say whether they look affected."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nerve_core.inference.predictor import Predictor

HELP = "outline the nerves of scans and say whether they look affected (research use only)"
INTERMIXED = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``predict``."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="PNG, JPEG, TIFF, BMP or DICOM ultrasound")
    parser.add_argument("--json", action="store_true", help="print one JSON list, in the order given")
    parser.add_argument(
        "--point",
        action="append",
        default=[],
        metavar="X,Y",
        help="a point inside the nerve, in pixels of the scan; once a file, in order (none: no point)",
    )
    parser.add_argument(
        "--frame", type=_frame, default=0, metavar="N", help="frame of multi-frame files, counted from 0"
    )
    parser.add_argument("--overlay", type=Path, metavar="DIR", help="write each scan with its outlines here")
    parser.add_argument("--weights", metavar="NAME", help="which weights: research or open")
    parser.set_defaults(usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Predict every file; one that cannot be used is reported and the others still run.

    Returns:
        0, or 1 when any file could not be used.
    """
    clicks = _clicks(args)
    # Libraries greet, warn and show progress with plain print; none of it may stand among the answers.
    with contextlib.redirect_stdout(sys.stderr):
        from nerve_core.inference.predictor import get_predictor
        from nerve_core.service.overlay import OverlayFolder

        overlays = None if args.overlay is None else OverlayFolder(args.overlay, args.files)
        predictor = get_predictor(args.weights)
        answers = [
            _answer(predictor, file, args.frame, click, overlays)
            for file, click in zip(args.files, clicks, strict=True)
        ]
    print(json.dumps(answers, allow_nan=False) if args.json else _as_text(answers))
    return int(any("error" in answer for answer in answers))


def _answer(
    predictor: Predictor, file: str, frame: int, click: tuple[float, float] | None, overlays: Any
) -> dict[str, Any]:
    from nerve_core.errors import NerveCoreError, RefusedScan
    from nerve_core.inference.prediction import NOT_ASSESSABLE
    from nerve_core.service.judge import judge

    try:
        scan, prediction = judge(predictor, Path(file), file, frame, click)
        if overlays is not None:
            overlays.write(file, scan, prediction)
        return prediction.to_dict(file)
    except RefusedScan as fault:
        return {"file": file, "error": str(fault), "verdict": NOT_ASSESSABLE}
    except NerveCoreError as fault:
        return {"file": file, "error": str(fault)}
    except Exception as fault:
        # A defect on one scan must not cost the rest of a long batch.
        traceback.print_exception(fault, file=sys.stderr)
        return {"file": file, "error": f"The program failed on this scan ({type(fault).__name__})."}


def _clicks(args: argparse.Namespace) -> list[tuple[float, float] | None]:
    from nerve_core.service.judge import RequestError, parse_point

    if not args.point:
        return [None] * len(args.files)
    if len(args.point) != len(args.files):
        args.usage_error(
            f"{len(args.point)} points for {len(args.files)} files: give --point once a file, in order, "
            "or not at all (--point none for a file without one)"
        )
    try:
        return [None if text == "none" else parse_point(text) for text in args.point]
    except RequestError as fault:
        return args.usage_error(str(fault))


def _frame(text: str) -> int:
    from nerve_core.service.judge import RequestError, parse_frame

    try:
        return parse_frame(text)
    except RequestError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def _as_text(answers: list[dict[str, Any]]) -> str:
    from nerve_core.inference.prediction import NOTICE

    lines: list[str] = []
    for answer in answers:
        verdict = f"{answer['verdict']}: " if "verdict" in answer else ""
        if "error" in answer:
            lines.append(f"{answer['file']}: {verdict}{answer['error']}")
            continue
        p = answer["p_affected"]
        lines.append(f"{answer['file']}: {answer['verdict']}" + ("" if p is None else f" (p = {p:.2f})"))
        for number, nerve in enumerate(answer["nerves"], start=1):
            x, y = nerve["centroid"]
            scale = "" if nerve["area_mm2"] is None else f", {nerve['area_mm2']:.1f} mm²"
            lines.append(
                f"  nerve {number} at {x:.0f},{y:.0f}: {nerve['verdict']} (p = {nerve['p_affected']:.2f}), "
                f"{nerve['area_px']:.0f} px²{scale}"
            )
    return "\n".join([*lines, "", NOTICE])
