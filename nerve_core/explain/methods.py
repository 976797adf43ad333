"""Every way to explain a verdict, by name, and the one function that runs them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from nerve_core.errors import DataError
from nerve_core.explain import cams, perturb
from nerve_core.explain.judge import Judge, Look, look_at
from nerve_core.explain.steady import steady

Run = Callable[[nn.Module, Look, float, str], np.ndarray]


@dataclass(frozen=True)
class Method:
    """One way to draw a map of evidence.

    Attributes:
        title: its name on the page.
        how: how it works, in one sentence.
        run: network, look, sign (1 for affected, -1 against) and layer to a map (CROP, CROP), ≥ 0.
        layer: the layer that served best on validation scans; empty where none is to be chosen.
        slow: whether it takes longer than a blink.
    """

    title: str
    how: str
    run: Run
    layer: str = ""
    slow: bool = False


def _cam(kind: str, network: nn.Module, look: Look, sign: float, layer: str) -> np.ndarray:
    return cams.activation_map(network, look, kind, layer, sign)


def _plain(
    function: Callable[[nn.Module, Look, float], np.ndarray],
    network: nn.Module,
    look: Look,
    sign: float,
    _: str,
) -> np.ndarray:
    return function(network, look, sign)


DEFAULT = "steady"
"""The method that wins in docs/explain.md."""

METHODS: dict[str, Method] = {
    "steady": Method(
        "Steady map",
        "What three depths of the network and several slightly moved looks agree on.",
        partial(_plain, steady),
    ),
    "grad_cam": Method(
        "Grad-CAM",
        "Features weighted by their mean gradient (Selvaraju 2017).",
        partial(_cam, "grad_cam"),
        "mixed",
    ),
    "grad_cam_plus": Method(
        "Grad-CAM++",
        "As Grad-CAM, with weights that count several places alike (Chattopadhay 2018).",
        partial(_cam, "grad_cam_plus"),
        "mixed",
    ),
    "hires_cam": Method(
        "HiResCAM",
        "Features times gradients, place by place (Draelos 2020).",
        partial(_cam, "hires_cam"),
        "fine",
    ),
    "layer_cam": Method(
        "LayerCAM",
        "Features times what is positive of their gradients (Jiang 2021).",
        partial(_cam, "layer_cam"),
        "mixed",
    ),
    "score_cam": Method(
        "Score-CAM",
        "Each feature map is laid over the scan and judged again (Wang 2020).",
        partial(_cam, "score_cam"),
        "mixed",
        slow=True,
    ),
    "eigen_cam": Method(
        "Eigen-CAM",
        "The main component of the features; it does not ask for the verdict at all (Muhammad 2020).",
        partial(_cam, "eigen_cam"),
        "mixed",
    ),
    "shap": Method(
        "SHAP",
        "Gradient SHAP: each pixel's share of the verdict against blurred pictures (Lundberg 2017).",
        partial(_plain, perturb.shap),
        slow=True,
    ),
    "integrated": Method(
        "Integrated gradients",
        "Gradients added up on the way from a blurred picture to the scan (Sundararajan 2017).",
        partial(_plain, perturb.integrated_gradients),
        slow=True,
    ),
    "occlusion": Method(
        "Occlusion",
        "Small patches are blurred one after the other; how the verdict falls is the map (Zeiler 2014).",
        partial(_plain, perturb.occlusion),
        slow=True,
    ),
}

TOWARDS = {"affected": 1.0, "unaffected": -1.0}


@dataclass(frozen=True, eq=False)
class Evidence:
    """One map of one nerve.

    Attributes:
        heat: float32 (H, W) in the scan's own pixels, 0 to 1; 0 everywhere where nothing speaks for it.
        crop: float32 (CROP, CROP), the same in the crop the network saw, 0 to 1.
        look: the crop, its contour and its place.
        method: key of ``METHODS``.
        layer: of the network, empty where the method takes none.
        towards: ``affected`` or ``unaffected``: what the evidence speaks for.
        ms: time it took, milliseconds.
    """

    heat: np.ndarray
    crop: np.ndarray
    look: Look
    method: str
    layer: str
    towards: str
    ms: float

    @property
    def empty(self) -> bool:
        """Whether nothing in the crop speaks for it."""
        return not self.crop.any()


def explain(
    judge: Judge,
    pixels: np.ndarray,
    mask: np.ndarray,
    method: str = DEFAULT,
    layer: str | None = None,
    towards: str = "affected",
) -> Evidence:
    """Where the evidence for one nerve's verdict lies; safe to call from many threads at once.

    What is explained is the verdict path itself: the crop as ``Predictor.logit`` cuts it and its mirror
    image, averaged over both.

    Args:
        judge: the weights, see :func:`nerve_core.explain.judge.judge_of`.
        pixels: uint8 (H, W) scan.
        mask: (H, W), nonzero in the nerve.
        method: key of ``METHODS``.
        layer: key of :func:`nerve_core.explain.cams.layers_of`; None takes the method's own.
        towards: ``affected`` or ``unaffected``.

    Raises:
        DataError: an unknown method, one that does not fit the weights, or a nerve too small.
    """
    start = time.perf_counter()
    if method not in METHODS:
        raise DataError(f"There is no method {method!r}: choose one of {', '.join(METHODS)}.")
    if towards not in TOWARDS:
        raise DataError(f"Evidence is for {' or '.join(TOWARDS)}, not for {towards!r}.")
    how = METHODS[method]
    # What torch does with gradients is set per thread; the caller's own setting is not relied on.
    with torch.inference_mode(False), torch.enable_grad(), judge.lend() as network:
        look = look_at(pixels, mask, judge.device)
        known = cams.layers_of(network)
        chosen = (layer or how.layer) if how.layer else ""
        if layer is None and chosen and chosen not in known:
            chosen = next(iter(known))
        found = how.run(network, look, TOWARDS[towards], chosen)
    peak = float(found.max())
    crop = np.float32(found / peak) if peak > 0 else np.zeros_like(found)
    return Evidence(
        np.clip(look.to_scan(crop), 0, 1),
        crop,
        look,
        method,
        chosen,
        towards,
        1e3 * (time.perf_counter() - start),
    )
