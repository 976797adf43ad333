"""The one prediction path: every page, command, request and figure goes through ``Predictor.predict``."""

from __future__ import annotations

import json
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nerve_core.config import settings
from nerve_core.errors import CheckpointError
from nerve_core.imaging.gate import check_quality
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.inference.abstention import Abstention
from nerve_core.inference.backends import BACKENDS, CONTOUR, VERDICT, Network, best_device
from nerve_core.inference.clock import Clock
from nerve_core.inference.contours import Selection, centroid, components, outline
from nerve_core.inference.exports import FOLDER, check_backend, choose, networks
from nerve_core.inference.looks import hesitant, network_input, sigmoid, verdict_input, window_around
from nerve_core.inference.prediction import NO_NERVE, NOT_ASSESSABLE, Nerve, Prediction
from nerve_core.inference.scope import FOREIGN, SENTENCES, Scope, observable
from nerve_core.models.checkpoint import load_checkpoint

CLOSER = (0.5,)
"""Sides of the closer looks around a click, as shares of the region's longer side, where the config of the
weights names no others under ``closer``; chosen on validation scans."""


class Predictor:
    """Weights ready to judge scans; safe to share between threads, and deterministic.

    Args:
        folder: checkpoint folder.
        device: ``cuda``, ``mps`` or ``cpu``.
        backend: key of ``BACKENDS``.

    Raises:
        CheckpointError: when the weights cannot be used.
    """

    def __init__(self, folder: Path, device: str, backend: str) -> None:
        check_backend(backend, device)
        model, self.config = load_checkpoint(folder)
        self.folder, self.device, self.backend = folder, device, backend
        self.name: str = self.config["name"]
        self.version: str = self.config["version"]
        self.preprocess = Preprocess.from_dict(self.config["preprocess"])
        self.selection = Selection(**self.config.get("selection", {}))
        self.closer: tuple[float, ...] = tuple(self.config.get("closer", CLOSER))
        calibration = self.config.get("calibration", {})
        self.slope, self.bias = calibration.get("slope", 1.0), calibration.get("bias", 0.0)
        self.abstention = Abstention.from_config(self.config)
        size = self.preprocess.size
        engine = BACKENDS[backend]
        self.observed = observable(model.contour)
        self.scope = Scope.load(folder, self.config) if self.observed else None
        contour, verdict = networks(model, size)
        self.network: Network = engine(*contour, device, folder / FOLDER / CONTOUR)
        self.judge: Network = engine(*verdict, device, folder / FOLDER / VERDICT)

    @classmethod
    def load(
        cls, name: str | None = None, device: str | None = None, backend: str | None = None
    ) -> Predictor:
        """A checkpoint by name, on the best device and backend unless told otherwise.

        Raises:
            CheckpointError: when there is no such checkpoint, or it cannot be used.
        """
        chosen = settings()
        name = name or chosen.weights
        folder = chosen.checkpoints / name
        if not name.replace("-", "").replace("_", "").isalnum() or not folder.is_dir():
            known = sorted(path.parent.name for path in chosen.checkpoints.glob("*/config.json"))
            raise CheckpointError(
                f"There are no weights {name!r}; choose one of: {', '.join(known) or 'none found'}."
            )
        device = device or chosen.device or best_device()
        return cls(folder, device, backend or chosen.backend or choose(folder, device))

    @cached_property
    def card(self) -> str:
        """The model card, Markdown; empty when there is none."""
        path = self.folder / "card.md"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Measured figures of these weights; empty when there are none."""
        path = self.folder / "metrics.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def contour(self, inputs: np.ndarray) -> np.ndarray:
        """Logits (1, 1, size, size) of the contour network for float32 inputs (1, 2, size, size)."""
        answer = self.network(inputs)
        return answer[0] if isinstance(answer, tuple) else answer

    def features(self, scan: Scan) -> np.ndarray:
        """What the contour network sees in a whole scan, float32 (F,); see :mod:`nerve_core.inference.scope`.

        Raises:
            CheckpointError: when the contour network is not one of encoder and decoder.
        """
        if not self.observed:
            raise CheckpointError(
                f"The features of {self.config['architecture']} cannot be had; choose other weights."
            )
        return self.network(network_input(self.preprocess.apply(scan), None))[1][0]

    def predict(
        self,
        scan: Scan,
        click: tuple[float, float] | None = None,
        preprocess: Preprocess | None = None,
        gate: bool = True,
    ) -> Prediction:
        """Where the nerves are and whether each looks affected.

        Args:
            scan: what to judge.
            click: (x, y) px of the scan where the clinician points at a nerve.
            preprocess: settings other than the model's own; its ``size`` is ignored.
            gate: refuse scans that cannot be read (too dark, saturated, blank, blurred, in shadow) and
                pictures out of the scope of the weights; an ultrasound in which no nerve may be claimed
                gets the verdict *no nerve found*, with the reason.
        """
        clock = Clock()
        reason = check_quality(scan) if gate else None
        if reason:
            return self._refusal(scan, clock, NOT_ASSESSABLE, reason)
        probability, masks, kind = self._contours(scan, click, preprocess, clock)
        beyond = None if kind is None else SENTENCES[kind]
        if gate and beyond is not None:
            return self._refusal(scan, clock, NOT_ASSESSABLE if kind == FOREIGN else NO_NERVE, beyond, beyond)
        chances = [self.p_affected(scan.pixels, mask) for mask in masks]
        clock.mark("verdict")
        nerves = [
            nerve_of(scan, mask, probability, p, self.abstention)
            for mask, p in zip(masks, chances, strict=True)
        ]
        nerves.sort(key=lambda nerve: -nerve.p_affected)
        verdict = nerves[0].verdict if nerves else NO_NERVE
        return self._answer(scan, probability, tuple(nerves), masks, clock, verdict, None, beyond)

    def find(self, scan: Scan, click: tuple[float, float] | None = None) -> list[np.ndarray]:
        """Masks of the nerves alone, uint8 0/1 (H, W), without a verdict."""
        return self._contours(scan, click, None, Clock())[1]

    def logit(self, pixels: np.ndarray, mask: np.ndarray) -> float:
        """The verdict network's own logit for one nerve, mean over the crop and its mirror image.

        Args:
            pixels: uint8 (H, W) scan.
            mask: 0/1 (H, W), the nerve.
        """
        return float(self.judge(*verdict_input(pixels, mask)).mean())

    def p_affected(self, pixels: np.ndarray, mask: np.ndarray) -> float:
        """Calibrated probability that one nerve looks affected, 0 to 1; arguments as for :meth:`logit`."""
        return float(sigmoid(np.float64(self.slope * self.logit(pixels, mask) + self.bias)))

    def _contours(
        self, scan: Scan, click: tuple[float, float] | None, preprocess: Preprocess | None, clock: Clock
    ) -> tuple[np.ndarray, list[np.ndarray], str | None]:
        """Probability map, masks of the nerves, and what the picture is if not a scan within scope."""
        how = self._own_size(preprocess)
        prepared = how.apply(scan)
        clock.mark("preprocess")
        inputs = network_input(prepared, click)
        kind = None
        if self.scope is None:
            logits = self.contour(inputs)
        else:
            logits, features = self.network(inputs)
            if how == self.preprocess:  # the features are known of scans prepared the model's own way
                kind = self.scope.kind_of(features[0], pointed=click is not None)
        found = sigmoid(logits[0, 0])
        if click is None and hesitant(found):
            found = (found + sigmoid(self.contour(inputs[..., ::-1])[0, 0, :, ::-1])) / 2
        clock.mark("network")
        probability = prepared.to_scan_map(found)
        if click is not None:
            probability = self._look_closer(scan, click, how, probability, clock)
        top, left, bottom, right = scan.region
        masks = components(probability, (bottom - top) * (right - left), self.selection, click)
        clock.mark("postprocess")
        return probability, masks, kind

    def _own_size(self, preprocess: Preprocess | None) -> Preprocess:
        if preprocess is None or preprocess.size == self.preprocess.size:
            return preprocess or self.preprocess
        return Preprocess.from_dict({**preprocess.to_dict(), "size": self.preprocess.size})

    def _look_closer(
        self, scan: Scan, click: tuple[float, float], how: Preprocess, probability: np.ndarray, clock: Clock
    ) -> np.ndarray:
        """Average with magnified looks around the click: small nerves gain most from them."""
        total, looks = probability.copy(), np.ones(probability.shape, np.float32)
        for share in self.closer:
            prepared = how.apply(scan.with_region(window_around(click, scan.region, share)))
            clock.mark("preprocess")
            found = self.contour(network_input(prepared, click))[0, 0]
            clock.mark("network")
            top, left, bottom, right = prepared.box
            inside = (slice(top, bottom), slice(left, right))
            total[inside] += prepared.to_scan_map(sigmoid(found))[inside]
            looks[inside] += 1
        return total / looks

    def _refusal(
        self, scan: Scan, clock: Clock, verdict: str, reason: str, beyond: str | None = None
    ) -> Prediction:
        blank = np.zeros(scan.pixels.shape, np.float32)
        return self._answer(scan, blank, (), [], clock, verdict, reason, beyond)

    def _answer(
        self,
        scan: Scan,
        probability: np.ndarray,
        nerves: tuple[Nerve, ...],
        masks: list[np.ndarray],
        clock: Clock,
        verdict: str,
        reason: str | None,
        beyond: str | None,
    ) -> Prediction:
        mask = np.zeros(scan.pixels.shape, np.uint8)
        for part in masks:
            mask[part > 0] = 255
        return Prediction(
            probability=probability,
            mask=mask,
            nerves=nerves,
            verdict=verdict,
            p_affected=nerves[0].p_affected if nerves else None,
            model=f"{self.name} {self.version}",
            reason=reason,
            beyond=beyond,
            timings_ms=clock.read(),
        )


def nerve_of(
    scan: Scan,
    mask: np.ndarray,
    probability: np.ndarray,
    p_affected: float,
    abstention: Abstention | None = None,
) -> Nerve:
    """Measurements of one nerve from its 0/1 mask, and its verdict."""
    area = float(np.count_nonzero(mask))
    x, y = centroid(mask)
    spacing = scan.spacing_at(y, x)
    return Nerve(
        contour=outline(mask),
        centroid=(x, y),
        area_px=area,
        area_mm2=None if spacing is None else area * spacing[0] * spacing[1],
        confidence=float(probability[mask > 0].mean()),
        p_affected=p_affected,
        word=None if abstention is None else abstention.verdict(p_affected),
    )


_LOADED: dict[tuple[str, str, str], Predictor] = {}
_LOCK = threading.Lock()


def get_predictor(name: str | None = None) -> Predictor:
    """The process's own predictor of these weights: loaded and warmed up once, then shared.

    Raises:
        CheckpointError: when the weights cannot be used.
    """
    chosen = settings()
    key = (name or chosen.weights, chosen.device, chosen.backend)
    with _LOCK:
        if key not in _LOADED:
            predictor = Predictor.load(name)
            blank = np.zeros((256, 256), np.uint8)
            blank[96:160, 96:160] = 255
            predictor.predict(Scan(blank), click=(128.0, 128.0), gate=False)
            predictor.p_affected(blank, (blank > 0).astype(np.uint8))
            _LOADED[key] = predictor
        return _LOADED[key]
