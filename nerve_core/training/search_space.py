"""What a search may change: a JSON object of settings and the values they may take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerve_core.errors import DataError
from nerve_core.training.config import TrainConfig

if TYPE_CHECKING:
    import optuna

Space = Mapping[str, Any]
"""Values by setting of :class:`TrainConfig`, dotted within its parts: a list of choices, or ``{"low": 1e-4,
"high": 1e-2, "log": true}`` (``log`` may be left out; two whole numbers give whole numbers)."""

RANGE = {"low", "high", "log"}


def read_space(path: Path, base: TrainConfig) -> dict[str, Any]:
    """A space from a JSON file, each setting and value of which fits the base.

    Raises:
        DataError: it cannot be read, names no setting, or gives values that a setting cannot take.
    """
    try:
        space = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise DataError(f"The search space {path} cannot be read; check the path.") from None
    except ValueError as fault:
        raise DataError(f"The search space {path.name} is not valid JSON ({fault}).") from None
    if not isinstance(space, dict) or not space:
        raise DataError(
            f"The search space {path.name} must be a JSON object of settings and their values, such as "
            '{"contour.learning_rate": {"low": 0.0005, "high": 0.005, "log": true}, "loss": ["dice+bce", '
            '"tversky"]}.'
        )
    for name, values in space.items():
        for value in _ends(name, values):
            changed(base, {name: value})
    return space


def _ends(name: str, values: Any) -> list[Any]:
    """The values that show whether a setting can take all of them."""
    if isinstance(values, list) and values and all(isinstance(each, str | int | float) for each in values):
        return values
    if isinstance(values, dict) and {"low", "high"} <= set(values) <= RANGE:
        low, high = values["low"], values["high"]
        numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (low, high))
        if numbers and low < high and (low > 0 or not values.get("log")):
            return [low, high]
    raise DataError(
        f"The values of {name} must be a list of numbers or words, or low and high, low being the smaller "
        "one, and above 0 where log is true."
    )


def changed(base: TrainConfig, settings: Mapping[str, Any]) -> TrainConfig:
    """The base with other settings, by dotted name.

    Raises:
        DataError: there is no such setting, or it cannot take the value.
    """
    for name, value in settings.items():
        part, _, rest = name.partition(".")
        try:
            if rest:
                inner = getattr(base, part)
                if not is_dataclass(inner):
                    raise TypeError
                value = replace(inner, **{rest: value})
            base = replace(base, **{part: value})
        except (TypeError, AttributeError):
            raise DataError(
                f"There is no setting {name!r}; docs/training.md lists them all, such as loss or "
                "contour.learning_rate."
            ) from None
    return base


def suggest(trial: optuna.Trial, space: Space) -> dict[str, Any]:
    """The settings of one trial."""
    found: dict[str, Any] = {}
    for name, values in space.items():
        if isinstance(values, list):
            found[name] = trial.suggest_categorical(name, values)
            continue
        low, high, log = values["low"], values["high"], values.get("log", False)
        whole = isinstance(low, int) and isinstance(high, int)
        draw = trial.suggest_int if whole else trial.suggest_float
        found[name] = draw(name, low, high, log=log)
    return found


def choices(space: Space) -> dict[str, list[Any]]:
    """The lists of a space for a grid.

    Raises:
        DataError: a setting has a range instead.
    """
    for name, values in space.items():
        if not isinstance(values, list):
            raise DataError(f"A grid needs a list of values for {name}; a range is for tpe or random.")
    return dict(space)
