"""What one browser session remembers: its scans, where the user pointed, and the predictions made.

Everything lives in ``st.session_state``, so it is seen by nobody else and goes when the tab closes.
Nothing is written to disk. Decoded scans and predictions are kept only for the scans looked at last.
"""

from __future__ import annotations

import hashlib
import logging
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import streamlit as st

from nerve_core.errors import NerveCoreError, RefusedScan
from nerve_core.imaging.read import base_name, open_scan
from nerve_core.imaging.scan import Scan
from nerve_core.inference.edited import judge_contours
from nerve_core.ui import scale
from nerve_core.ui.session_items import Edit, Item, Outcome, Point, Summary, View

if TYPE_CHECKING:
    from nerve_core.imaging.read import ScanFile
    from nerve_core.inference.predictor import Predictor

__all__ = ["Edit", "Item", "Outcome", "Point", "Summary", "View"]

logger = logging.getLogger(__name__)

KEPT = 32
"""Most opened files, decoded scans or predictions kept a session."""

KEPT_BYTES = 256 * 2**20
"""Most bytes of decoded scans, and of predictions, kept a session; the last one is always kept."""

Value = TypeVar("Value")


def _state(name: str, make: Callable[[], Value]) -> Value:
    if name not in st.session_state:
        st.session_state[name] = make()
    return st.session_state[name]


def _kept(name: str, key: Hashable, make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
    """``make()``, remembered under ``key`` among the last few of this session."""
    store: OrderedDict[Hashable, Value] = _state(name, OrderedDict)
    if key not in store:
        store[key] = make()
    store.move_to_end(key)
    while len(store) > KEPT or (len(store) > 1 and sum(map(size, store.values())) > KEPT_BYTES):
        store.popitem(last=False)
    return store[key]


def _outcome_bytes(outcome: Outcome) -> int:
    found = outcome.prediction
    return 0 if found is None else found.probability.nbytes + found.mask.nbytes


def view_of(item: Item) -> View:
    """How this session looks at an item; change its fields to change what is shown."""
    views: dict[str, View] = _state("views", dict)
    return views.setdefault(item.id, View())


def from_upload(upload: Any) -> Item:
    """The item of one Streamlit upload; hashed once a file."""
    digests: dict[str, str] = _state("digests", dict)
    content = upload.getvalue()
    if upload.file_id not in digests:
        digests[upload.file_id] = hashlib.sha256(content).hexdigest()
    return Item(upload.file_id, base_name(upload.name), content, digests[upload.file_id])


def uploaded(uploads: Sequence[Any]) -> list[Item]:
    """The items of the uploader's files, remembered for when the user comes back from another page."""
    st.session_state["uploaded"] = [from_upload(each) for each in uploads]
    return st.session_state["uploaded"]


def arrive(page: str) -> None:
    """Note which page is shown: leaving a page empties its uploader, so the scans in it are carried over."""
    if st.session_state.get("page", page) != page:
        st.session_state["carried"] = carried() + st.session_state.pop("uploaded", [])
    st.session_state["page"] = page


def carried() -> list[Item]:
    """Scans uploaded before the user went to another page and came back."""
    return st.session_state.get("carried", [])


def carry(item: Item) -> None:
    """Put a scan among those of the Diagnose page, as if it had been uploaded there, and show it first.

    A scan that is there already, by its id, is not put there twice.
    """
    st.session_state["carried"] = [each for each in carried() if each.id != item.id] + [item]
    st.session_state["shown"] = item.id


def from_content(name: str, content: bytes, note: str = "", truth: Path | np.ndarray | None = None) -> Item:
    """The item of a file in memory; the same bytes under the same name are the same item.

    Args:
        name: base name of the file.
        content: its bytes.
        note: what is known of a simulated scan.
        truth: path of its true mask, or the mask itself, uint8 (H, W), 255 inside nerves.
    """
    digest = hashlib.sha256(content).hexdigest()
    return Item(f"made-{name}-{digest}", name, content, digest, truth, note)


def drop_carried() -> list[Item]:
    """Forget the scans carried over."""
    st.session_state["carried"] = []
    return []


def from_sample(sample: Any) -> Item:
    """The item of one of the shipped simulated samples."""
    content = Path(sample.path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    truth = Path(sample.mask_path) if sample.mask_path else None
    note = f"Simulated scan, {sample.site}. Simulated truth: {sample.label}."
    return Item(f"sample-{digest}", Path(sample.path).name, content, digest, truth, note)


def forget_all_but(items: list[Item]) -> None:
    """Drop what is kept of files that the user has taken away."""
    present = {item.digest for item in items}
    for name in ("files", "scans", "predictions", "summaries"):
        store: dict[Any, Any] = _state(name, OrderedDict)
        for key in [key for key in store if key[0] not in present]:
            del store[key]
    views: dict[str, View] = _state("views", dict)
    for key in set(views) - {item.id for item in items}:
        del views[key]


def open_item(item: Item) -> ScanFile:
    """The opened file of an item, decoded frame by frame. Raises ScanError."""
    key = (item.digest, item.name)
    return _kept("files", key, lambda: open_scan(item.content, name=item.name), lambda _: 0)


def scan_of(item: Item, frame: int) -> Scan:
    """One decoded frame of an item. Raises ScanError."""
    return _decoded(item, frame)[0]


def _decoded(item: Item, frame: int) -> tuple[Scan, float]:
    """One decoded frame and the seconds it took to read it."""

    def read() -> tuple[Scan, float]:
        start = time.perf_counter()
        return open_item(item).scan(frame), time.perf_counter() - start

    return _kept("scans", (item.digest, item.name, frame), read, lambda kept: kept[0].pixels.nbytes)


def analyse(item: Item, model: Predictor) -> Outcome:
    """Outcome of one item as the session looks at it now; computed once for the same look."""
    view, key = view_of(item), _look(item, model)
    outcome = _kept("predictions", key, lambda: _analyse(item, view, model), _outcome_bytes)
    _state("summaries", OrderedDict)[key] = _summarise(outcome)
    return outcome


def corrected(item: Item, model: Predictor) -> Outcome:
    """The same with the outlines drawn by hand, if any, in place of the model's; judged once for each."""
    outcome = analyse(item, model)
    contours, found, scan = view_of(item).edit.contours, outcome.prediction, outcome.scan
    if contours is None or found is None or scan is None:
        return outcome

    def judge() -> Outcome:
        judged = judge_contours(model, scan, contours, found)
        return replace(outcome, prediction=judged, before=found, ms=judged.timings_ms["total"], read_ms=0.0)

    key = (*_look(item, model), *_drawn(item))
    shown = _kept("predictions", key, judge, _outcome_bytes)
    _state("summaries", OrderedDict)[key] = _summarise(shown)
    return shown


def _drawn(item: Item) -> tuple[str, ...]:
    """What tells the outlines drawn by hand from others; empty where there are none."""
    contours = view_of(item).edit.contours
    if contours is None:
        return ()
    parts = b"".join(len(each).to_bytes(4) + each.tobytes() for each in contours)
    return (hashlib.sha256(parts).hexdigest(),)


def summarise(item: Item, model: Predictor) -> Summary:
    """The outcome of one item, as corrected, in a few words; kept for all scans of the session."""
    store: OrderedDict[Hashable, Summary] = _state("summaries", OrderedDict)
    key = (*_look(item, model), *_drawn(item))
    if key not in store:
        corrected(item, model)
    return store.get(key) or store[_look(item, model)]


def known(item: Item, model: Predictor) -> bool:
    """Whether the item, as the session looks at it now, has been analysed already."""
    return _look(item, model) in _state("summaries", OrderedDict)


def _look(item: Item, model: Predictor) -> tuple[Hashable, ...]:
    """Everything an outcome depends on."""
    view = view_of(item)
    return (
        item.digest,
        item.name,
        view.frame,
        view.point,
        view.settings,
        view.region,
        view.mm_per_px,
        view.frame in view.trusted,
        model.name,
        model.version,
    )


def _summarise(outcome: Outcome) -> Summary:
    frames = 1 if outcome.scan is None else outcome.scan.n_frames
    if outcome.error:
        return Summary(None, None, 0, frames, outcome.error)
    if outcome.prediction is None:
        return Summary("not assessable", None, 0, frames, outcome.refused or "")
    found = outcome.prediction
    remark = "Outline corrected by hand." if found.edited else ""
    return Summary(found.verdict, found.p_affected, len(found.nerves), frames, found.reason or remark)


def analyse_once(item: Item, model: Predictor) -> Outcome:
    """Outcome of one item as it is, not remembered by the session."""
    return _analyse(item, View(), model)


def _analyse(item: Item, view: View, model: Predictor) -> Outcome:
    scan = None
    try:
        scan, reading = _decoded(item, view.frame)
        if view.region is not None:
            scan = scan.with_region(view.region)
        scan = scale.with_ruler(scan, view)
        start = time.perf_counter()
        gate = view.frame not in view.trusted
        prediction = model.predict(scan, click=view.point, preprocess=view.settings, gate=gate)
        return Outcome(
            item, scan, prediction, read_ms=reading * 1000, ms=(time.perf_counter() - start) * 1000
        )
    except RefusedScan as error:
        return Outcome(item, scan, refused=str(error))
    except NerveCoreError as error:
        return Outcome(item, scan, error=str(error))
    except Exception as error:  # one bad file must not take the others down
        # The message may quote the file's name or content, so only where it happened is logged.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("%s while analysing a scan\n%s", type(error).__name__, where)
        sentence = (
            "This file could not be analysed because of a fault in the program; the others are not touched."
        )
        return Outcome(item, scan, error=sentence)
