"""A control for every strength of the augmentation, built from the fields of ``Augment`` themselves.

A field added there gets a control here by itself; ``WORDS`` only makes it read better.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import streamlit as st

from nerve_core.config import settings
from nerve_core.data.augment import LIMITS, Augment
from nerve_core.errors import DataError

Value = float | int | bool | str | tuple[float, ...]


@dataclass(frozen=True)
class Control:
    """How one field is shown.

    Attributes:
        title: in plain words, with the unit.
        low, high, step: of the slider, in the unit shown.
        scale: units shown for one of the field's own (100 for a share shown in percent).
    """

    title: str
    low: float = 0.0
    high: float = 1.0
    step: float = 0.05
    scale: float = 1.0


WORDS: Mapping[str, Control] = {
    "rotate": Control("Rotation, at most (degrees either way)", 0, 90, 1),
    "zoom": Control("Magnification, smallest and largest (× whole region)", 0.3, 4),
    "click_zoom": Control("Magnification of samples with a click (× whole region)", 0.3, 4),
    "stretch": Control("Change of width to height, at most (factor, 1 is none)", 1, 2),
    "shift": Control("Shift, at most (% of the picture's side)", 0, 50, 1, 100),
    "elastic": Control("Smooth bending of the tissue (% of samples)", 0, 100, 5, 100),
    "near_nerve": Control("Magnified part centred at a nerve (% of those magnified)", 0, 100, 5, 100),
    "photometric": Control("Another machine's picture: how often (%)", 0, 50, 5, 100),
    "flip": Control("Mirror image (% of samples)", 0, 100, 5, 100),
    "style_mix": Control("Overall look of another scan (% of samples)", 0, 100, 5, 100),
    "style_band": Control("Finest structure in that look (% of the picture's side)", 0, 20, 0.5, 100),
}


def control_of(name: str) -> Control:
    """The control of a field: the one in ``WORDS``, else one that follows from its limits and default."""
    if name in WORDS:
        return WORDS[name]
    title, default = name.replace("_", " ").capitalize(), getattr(Augment(), name)
    if isinstance(default, bool) or not isinstance(default, float | int | tuple):
        return Control(title)
    if LIMITS.get(name) == (0, 1):  # a probability
        return Control(f"{title} (% of samples)", 0, 100, 5, 100)
    low, high = LIMITS.get(name, (0.0, max(2.0 * float(np.max(default)), 1.0)))
    return Control(title, low, high, 1.0 if isinstance(default, int) else 0.05)


def meaning(name: str) -> str:
    """What a field does, from the documentation of ``Augment``."""
    text = " ".join((Augment.__doc__ or "").split())
    names = "|".join(field.name for field in fields(Augment))
    found = re.search(rf"\b{name}: (.*?)(?= (?:{names}): |$)", text)
    return found[1][:1].upper() + found[1][1:] if found else ""


def controls(start: Augment, key: str, disabled: tuple[str, ...] = ()) -> Augment:
    """Widgets for every field.

    Args:
        start: the values they begin with.
        key: beginning of every widget's key; another one begins anew from ``start``.
        disabled: fields that have no effect now.

    Returns:
        What the user chose.
    """
    chosen = {
        field.name: _widget(field.name, getattr(start, field.name), f"{key}-{field.name}", disabled)
        for field in fields(Augment)
    }
    return Augment(**chosen)


def _widget(name: str, value: Any, key: str, disabled: tuple[str, ...]) -> Value:
    control, kind = control_of(name), type(value)
    shared = {"key": key, "help": meaning(name), "disabled": name in disabled}
    if kind is bool:
        return st.toggle(control.title, value, **shared)
    if kind is tuple:
        shown = tuple(round(control.scale * float(part), 6) for part in value)
        if len(shown) != 2:
            return value
        low, high = min(control.low, *shown), max(control.high, *shown)
        found = st.slider(control.title, float(low), float(high), shown, float(control.step), **shared)
        return tuple(part / control.scale for part in found)
    if kind in (int, float):
        shown = round(control.scale * value, 6)
        low, high = min(control.low, shown), max(control.high, shown)
        whole = control.step == int(control.step) and shown == int(shown)
        unit = int if whole else float
        found = st.slider(control.title, unit(low), unit(high), unit(shown), unit(control.step), **shared)
        return kind(found / control.scale)
    return st.text_input(control.title, str(value), **shared)


def shipped(name: str) -> Augment:
    """What the weights of a checkpoint were trained with, from its ``config.json``.

    A field newer than the weights has its default, which is what was done before the field was there.

    Raises:
        DataError: the file is missing, damaged or says nothing of it.
    """
    path = settings().checkpoints / name / "config.json"
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))["training"]["augment"]
        known = {field.name for field in fields(Augment)}
        values = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in stated.items()
            if key in known
        }
        return Augment(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DataError):
        raise DataError(
            f"The weights “{name}” do not say what augmentation they were trained with; "
            "the settings of a new training are shown instead."
        ) from None
