"""Tuned and fitted methods in a folder: JSON, and models in the skops format, which holds no code.

prior.json    contours/NAME.json    contours/NAME.skops    verdicts/NAME.json    verdicts/NAME.skops
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from nerve_core.errors import CheckpointError
from nerve_core.evaluation.classical.candidates import Prior
from nerve_core.evaluation.classical.classifiers import PixelModels
from nerve_core.evaluation.classical.deep import DeepFeatures
from nerve_core.evaluation.classical.method import Contour, Judges, Network
from nerve_core.evaluation.classical.registry import CONTOUR_METHODS, make_contour, method_of
from nerve_core.evaluation.classical.verdict import VERDICT_METHODS, Verdict, verdict_method_of

FORMAT = 1

TRUSTED = ["sklearn.tree._tree.Tree"]
"""The one type beyond those that skops itself holds for safe: the trees of a Random Forest."""

AGAIN = "fit it again with python -m benchmarks.classical"


def save_prior(folder: Path, prior: Prior) -> None:
    """Keep the prior that all contour methods share."""
    _write_json(folder / "prior.json", {"format": FORMAT, **prior.to_dict()})


def load_prior(folder: Path) -> Prior:
    """The prior of a folder.

    Raises:
        CheckpointError: when it is missing or damaged.
    """
    return Prior.from_dict(_read_json(folder / "prior.json"))


def save_contour(folder: Path, contour: Contour, figures: Mapping[str, Any] | None = None) -> None:
    """Keep the settings of a contour method, its classifiers where it has some, and its figures."""
    models = getattr(contour, "models", None)
    stored: dict[str, Any] = {
        "format": FORMAT,
        "name": contour.name,
        "params": dataclasses.asdict(contour.params),
        "click_params": dataclasses.asdict(contour.click_params),
        "figures": dict(figures or {}),
    }
    path = folder / "contours" / f"{contour.name}.json"
    if models is not None:
        stored["sha256"] = _write_models(path, {"auto": models.auto, "click": models.click})
    _write_json(path, stored)


def load_contour(
    folder: Path, name: str, network: Network | None = None, verdict: Judges | None = None
) -> Contour:
    """A contour method as it was tuned.

    Args:
        folder: that :func:`save_contour` and :func:`save_prior` wrote to.
        name: key of ``CONTOUR_METHODS``.
        network: for the random field, a ``Predictor``.
        verdict: judges the nerves found.

    Raises:
        DataError: an unknown method, or the random field without a network.
        CheckpointError: when it is not in the folder, or damaged.
    """
    entry = method_of(name)
    path = folder / "contours" / f"{name}.json"
    stored = _read_json(path, name)
    try:
        params, click_params = (_settings(entry.params, stored[key]) for key in ("params", "click_params"))
    except (KeyError, TypeError, ValueError):
        raise _damaged(path) from None
    models = None
    if entry.learns:
        found = _read_models(path, stored.get("sha256"), ("auto", "click"))
        models = PixelModels(found["auto"], found["click"])
    return make_contour(name, load_prior(folder), params, click_params, models, network, verdict)


def save_verdict(folder: Path, verdict: Verdict, figures: Mapping[str, Any] | None = None) -> None:
    """Keep a verdict method, its calibration and its figures."""
    path = folder / "verdicts" / f"{verdict.name}.json"
    stored: dict[str, Any] = {
        "format": FORMAT,
        "name": verdict.name,
        "params": verdict.params,
        "slope": verdict.slope,
        "bias": verdict.bias,
        "weights": "" if verdict.deep is None else verdict.deep.fingerprint,
        "figures": dict(figures or {}),
    }
    stored["sha256"] = _write_models(path, {"model": verdict.model})
    _write_json(path, stored)


def load_verdict(folder: Path, name: str, deep: DeepFeatures | None = None) -> Verdict:
    """A verdict method as it was fitted.

    Args:
        folder: that :func:`save_verdict` wrote to.
        name: key of ``VERDICT_METHODS``.
        deep: for those on deep features, of the same weights as in the fitting.

    Raises:
        DataError: an unknown method, or one on deep features without them.
        CheckpointError: when it is not in the folder, damaged, or fitted on the features of other weights.
    """
    entry = verdict_method_of(name)
    path = folder / "verdicts" / f"{name}.json"
    stored = _read_json(path, name)
    model = _read_models(path, stored.get("sha256"), ("model",))["model"]
    deep = deep if entry.features == "deep" else None
    if deep is not None and stored.get("weights") != deep.fingerprint:
        raise CheckpointError(
            f"The verdict method {name!r} was fitted on the features of other weights; {AGAIN}."
        )
    try:
        return Verdict(
            name, dict(stored["params"]), model, float(stored["slope"]), float(stored["bias"]), deep
        )
    except (KeyError, TypeError, ValueError):
        raise _damaged(path) from None


def figures_of(folder: Path, name: str) -> dict[str, Any] | None:
    """The figures kept with a method of either registry; None when it is not in the folder.

    Raises:
        CheckpointError: when it is damaged.
    """
    kind = "contours" if name in CONTOUR_METHODS else "verdicts"
    path = folder / kind / f"{name}.json"
    return _read_json(path, name).get("figures", {}) if path.exists() else None


def stored_methods(folder: Path) -> dict[str, list[str]]:
    """Names of the methods in a folder: ``contours`` and ``verdicts``, in the order of the registries."""
    return {
        kind: [name for name in registry if (folder / kind / f"{name}.json").is_file()]
        for kind, registry in (("contours", CONTOUR_METHODS), ("verdicts", VERDICT_METHODS))
    }


def _settings(kind: type, values: Mapping[str, Any]) -> Any:
    """Settings of a dataclass; each value must be of the type of its default."""
    default = kind()
    if set(values) != set(vars(default)):
        raise ValueError("settings")
    for key, value in values.items():
        own = type(getattr(default, key))
        if not (type(value) is own or (own is float and type(value) is int)):
            raise TypeError(key)
    return kind(**values)


def _write_models(path: Path, models: Mapping[str, Pipeline]) -> str:
    """Write models beside a JSON file, whole or not at all; gives their SHA-256."""
    import skops.io

    data = skops.io.dumps(dict(models))
    _write(path.with_suffix(".skops"), data)
    return hashlib.sha256(data).hexdigest()


def _read_models(path: Path, digest: str | None, names: tuple[str, ...]) -> dict[str, Pipeline]:
    import skops.io

    try:
        data = path.with_suffix(".skops").read_bytes()
    except OSError:
        raise CheckpointError(
            f"The classical method {path.stem!r} is not complete: {path.stem}.skops is missing; {AGAIN}."
        ) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(path)
    try:
        models = skops.io.loads(data, trusted=TRUSTED)
    except Exception:  # untrusted types, and whatever a file of another version may lead to
        raise CheckpointError(
            f"The classical method {path.stem!r} cannot be read by this version of scikit-learn, or holds "
            f"what is not trusted; {AGAIN}."
        ) from None
    if not isinstance(models, dict) or any(not isinstance(models.get(name), Pipeline) for name in names):
        raise _damaged(path)
    return models


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    _write(path, (json.dumps(values, indent=1, allow_nan=False) + "\n").encode())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _read_json(path: Path, name: str | None = None) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        what = f"The classical method {path.stem!r}" if name else "The prior of the classical methods"
        raise CheckpointError(f"{what} is not in {path.parent.name!r}; {AGAIN}.") from None
    except ValueError:
        raise _damaged(path) from None
    if not isinstance(values, dict) or (name is not None and values.get("name") != name):
        raise _damaged(path)
    if values.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} was written by another version of the program; {AGAIN}.")
    return values


def _damaged(path: Path) -> CheckpointError:
    return CheckpointError(f"{path.name} of the classical methods is damaged; {AGAIN}.")
