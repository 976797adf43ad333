"""The comparison of methods on one scan as files: a table, and everything in one archive."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NOTICE
from nerve_core.ui.compare_agreement import count_map, pairwise_dice, picture
from nerve_core.ui.compare_picture import drawn
from nerve_core.ui.compare_run import Result
from nerve_core.ui.session_items import Point


def buttons(scan: Scan, results: Sequence[Result], table: pd.DataFrame, point: Point | None) -> None:
    """Table and archive; the archive is made only when asked for."""
    stem = PurePath(results[0].outcome.item.name).stem or "scan"
    stem += f"-frame{scan.frame + 1}" if scan.n_frames > 1 else ""
    with st.container(horizontal=True):
        st.download_button(
            "Table (CSV)",
            table.to_csv(index=False),
            f"{stem}-methods.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Overlays, masks and figures (ZIP)",
            lambda: archive(scan, results, table, point),
            f"{stem}-methods.zip",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
        )


def archive(scan: Scan, results: Sequence[Result], table: pd.DataFrame, point: Point | None) -> bytes:
    """ZIP with an overlay and a mask a method, the map of agreement, the tables, and the standing notice.

    A mask is 255 inside the nerves, in the scan's own pixels; ``pairwise-dice.csv`` and the map are of the
    methods that could be run.
    """
    ran = [result for result in results if result.prediction is not None]
    masks = [result.prediction.mask for result in ran]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("notice.txt", NOTICE + "\n")
        file.writestr("methods.csv", table.to_csv(index=False))
        answers: list[dict[str, Any]] = []
        for result in ran:
            name = f"{result.number}-{re.sub(r'[^a-z0-9]+', '-', result.choice.name.lower())}"
            overlay = drawn(scan, result.prediction, result.choice.judges, point)
            file.writestr(f"{name}-overlay.png", _png(overlay[..., ::-1]))
            file.writestr(f"{name}-mask.png", _png(result.prediction.mask))
            answer = result.prediction.to_dict(result.outcome.item.name) | {"method": result.choice.name}
            if not result.choice.judges:  # an outline alone says nothing of health
                answer |= {"verdict": None, "p_affected": None}
                answer["nerves"] = [each | {"verdict": None, "p_affected": None} for each in answer["nerves"]]
            answers.append(answer | {"ms": round(result.outcome.ms, 2)})
        file.writestr("results.json", json.dumps({"notice": NOTICE, "results": answers}, indent=1))
        if len(ran) > 1:
            names = [f"{result.number} {result.choice.title}" for result in ran]
            agreed = picture(scan.pixels, count_map(masks), len(ran))
            file.writestr("agreement.png", _png(agreed[..., ::-1]))
            pairs = pd.DataFrame(pairwise_dice(masks).round(4), index=names, columns=names)
            file.writestr("pairwise-dice.csv", pairs.to_csv())
    return stream.getvalue()


def _png(bgr: np.ndarray) -> bytes:
    done, data = cv2.imencode(".png", bgr)
    assert done
    return data.tobytes()
