"""A contour method as evaluation sees it: the same ``predict`` as the network's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nerve_core.evaluation.classical.candidates import Prior, choose
from nerve_core.evaluation.classical.classifiers import PixelModels
from nerve_core.evaluation.classical.crf import Crf, refine
from nerve_core.evaluation.classical.view import View, smooth, view_of
from nerve_core.imaging.gate import check_quality
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.inference.clock import Clock
from nerve_core.inference.contours import Selection, components
from nerve_core.inference.prediction import NO_NERVE, NOT_ASSESSABLE, Prediction, verdict_of
from nerve_core.inference.predictor import nerve_of

VERSION = "1"

UNKNOWN = 0.5
"""p_affected of every nerve where no verdict method is given: a contour alone says nothing of it."""


class Judges(Protocol):
    """What a contour method needs of a verdict method."""

    name: str

    def p_affected(self, scan: Scan, mask: np.ndarray) -> float: ...


class Network(Protocol):
    """What the random field needs of a network."""

    name: str
    version: str

    def predict(
        self,
        scan: Scan,
        click: tuple[float, float] | None = None,
        preprocess: Preprocess | None = None,
        gate: bool = True,
    ) -> Prediction: ...


@dataclass(eq=False)
class Contour(ABC):
    """A contour method with its settings; ``predict`` takes and gives what ``Predictor.predict`` does.

    Deterministic, and safe to call from several threads.

    Attributes:
        name: key in ``CONTOUR_METHODS``.
        params: settings without a click, of the method's own dataclass.
        click_params: settings with one.
        verdict: judges the nerves found; without it every nerve has ``UNKNOWN``.
    """

    name: str
    params: Any
    click_params: Any
    verdict: Judges | None = None

    version = VERSION

    @abstractmethod
    def prepare(
        self, scan: Scan, click: tuple[float, float] | None = None, preprocess: Preprocess | None = None
    ) -> Any:
        """All that does not depend on the settings, so that tuning does it once."""

    @abstractmethod
    def contours(self, prepared: Any, params: Any) -> tuple[np.ndarray, list[np.ndarray]]:
        """Probability float32 (H, W) and the nerves' masks uint8 0/1 (H, W), in the scan's own pixels."""

    def predict(
        self,
        scan: Scan,
        click: tuple[float, float] | None = None,
        preprocess: Preprocess | None = None,
        gate: bool = True,
    ) -> Prediction:
        """Where the nerves are and, with a verdict method, whether each looks affected.

        Args:
            scan: what to judge.
            click: (x, y) px of the scan where an expert points at a nerve; the method starts there.
            preprocess: filters to run before the method's own; ``size`` is ignored.
            gate: refuse scans that are too dark, saturated or blank.
        """
        clock = Clock()
        reason = check_quality(scan) if gate else None
        probability = np.zeros(scan.pixels.shape, np.float32)
        masks: list[np.ndarray] = []
        if reason is None:
            prepared = self.prepare(scan, click, preprocess)
            clock.mark("preprocess")
            params = self.params if click is None else self.click_params
            probability, masks = self.contours(prepared, params)
            clock.mark("contour")
        judge = self.verdict
        chances = [UNKNOWN if judge is None else judge.p_affected(scan, mask) for mask in masks]
        clock.mark("verdict")
        nerves = [nerve_of(scan, mask, probability, p) for mask, p in zip(masks, chances, strict=True)]
        nerves.sort(key=lambda nerve: -nerve.p_affected)
        union = np.zeros(scan.pixels.shape, np.uint8)
        for mask in masks:
            union[mask > 0] = 255
        verdict = verdict_of(nerves[0].p_affected) if nerves else NO_NERVE
        return Prediction(
            probability=probability,
            mask=union,
            nerves=tuple(nerves),
            verdict=verdict if reason is None else NOT_ASSESSABLE,
            p_affected=nerves[0].p_affected if nerves else None,
            model=f"{self.name} {self.version}" + ("" if judge is None else f" + {judge.name}"),
            reason=reason,
            timings_ms=clock.read(),
        )


Propose = Callable[[View, Prior, Any], list[np.ndarray]]
ProposeFrom = Callable[[View, Prior, Any, np.ndarray], list[np.ndarray]]


@dataclass(eq=False)
class RegionContour(Contour):
    """A method that proposes regions, among which the prior chooses.

    Attributes:
        propose: regions of a view; of a classifier's map too, where there are ``models``.
        prior: learned from training groups.
        models: fitted classifiers, or None.
    """

    propose: Propose | ProposeFrom | None = None
    prior: Prior | None = None
    models: PixelModels | None = None

    def prepare(
        self, scan: Scan, click: tuple[float, float] | None = None, preprocess: Preprocess | None = None
    ) -> tuple[View, np.ndarray | None]:
        view = view_of(scan, click, preprocess)
        return view, None if self.models is None else self.models.evidence(view, self.prior)

    def contours(
        self, prepared: tuple[View, np.ndarray | None], params: Any
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        view, evidence = prepared
        given = (view, self.prior, params) if evidence is None else (view, self.prior, params, evidence)
        chosen = choose(view, self.propose(*given), self.prior, evidence)
        probability = np.zeros(view.prepared.scan_shape, np.float32)
        if evidence is not None:
            probability = view.to_scan(smooth(evidence, params.sigma))
        masks: list[np.ndarray] = []
        for region, score in chosen:
            soft = view.to_scan(smooth(region, 1.0))
            mask = (soft >= 0.5).astype(np.uint8)
            if mask.any():
                masks.append(mask)
                if evidence is None:
                    probability = np.maximum(probability, np.float32(score) * soft)
        return np.clip(probability, 0, 1), masks


@dataclass(eq=False)
class CrfContour(Contour):
    """A network's contours, refined by the random field.

    Attributes:
        network: gives the map that is refined; its own click is used.
    """

    network: Network | None = None

    def prepare(
        self, scan: Scan, click: tuple[float, float] | None = None, preprocess: Preprocess | None = None
    ) -> tuple[View, np.ndarray, Scan, tuple[float, float] | None]:
        found = self.network.predict(scan, click, preprocess, gate=False).probability
        view = view_of(scan, click, preprocess)
        return view, view.from_scan(found), scan, click

    def contours(
        self, prepared: tuple[View, np.ndarray, Scan, tuple[float, float] | None], params: Crf
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        view, found, scan, click = prepared
        probability = np.clip(view.to_scan(refine(found, view.grey, params)), 0, 1)
        top, left, bottom, right = scan.region
        how = getattr(self.network, "selection", Selection())
        return probability, components(probability, (bottom - top) * (right - left), how, click)
