"""Where the contour network looks for one nerve: activation maps of the summed logit inside the outline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from nerve_core.errors import DataError
from nerve_core.explain.cams import layer_maps
from nerve_core.explain.judge import SMALLEST, Judge
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import Scan
from nerve_core.inference.looks import network_input

KINDS = ("grad_cam", "grad_cam_plus", "hires_cam", "layer_cam", "eigen_cam")
"""Methods of :mod:`nerve_core.explain.cams` that fit the contour network."""


def contour_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Layers of an encoder-decoder by a name for the page; the first is the default.

    Raises:
        DataError: a network that is not an encoder-decoder.
    """
    blocks = getattr(getattr(network, "decoder", None), "blocks", None)
    if not blocks:
        raise DataError(
            "The contour network of these weights has no decoder with stages: a map of its outline is not "
            "offered; the verdict's map is."
        )
    found = {"decoder, half size": blocks[-1]}
    for index, name in ((-2, "decoder, quarter size"), (0, "decoder, coarsest")):
        if len(blocks) >= 3:
            found[name] = blocks[index]
    return found


def contour_map(
    judge: Judge,
    scan: Scan,
    mask: np.ndarray,
    kind: str = "grad_cam",
    layer: str | None = None,
    click: tuple[float, float] | None = None,
    preprocess: Preprocess | None = None,
) -> np.ndarray:
    """Which parts of the scan made the network draw this nerve (Seg-Grad-CAM, Vinogradova 2020).

    Args:
        judge: the weights.
        scan: the scan.
        mask: (H, W), nonzero in the nerve.
        kind: one of ``KINDS``.
        layer: key of :func:`contour_layers`; None takes the first.
        click: (x, y) px where the clinician pointed.
        preprocess: settings other than the model's own; its ``size`` is ignored.

    Returns:
        float32 (H, W) in the scan's own pixels, 0 to 1.

    Raises:
        DataError: a method or layer that does not fit, or a nerve too small.
    """
    if kind not in KINDS:
        raise DataError(f"The method {kind!r} does not fit the outline: choose one of {', '.join(KINDS)}.")
    prepared = replace(preprocess or judge.preprocess, size=judge.preprocess.size).apply(scan)
    inside = prepared.to_network_map(np.asarray(mask > 0, np.float32)) > 0.5
    if np.count_nonzero(mask) < SMALLEST or not inside.any():
        raise DataError(
            f"This nerve is {int(np.count_nonzero(mask))} px in area, too small for a map of its outline "
            f"(at least {SMALLEST} px): use a closer view."
        )
    where = torch.from_numpy(inside).to(judge.device)
    pictures = torch.from_numpy(network_input(prepared, click)).to(judge.device)
    with judge.lend("contour") as network:
        layers = contour_layers(network)
        chosen = layer or next(iter(layers))
        if chosen not in layers:
            raise DataError(f"These weights have no layer {chosen!r}: choose {', '.join(layers)}.")
        found = layer_maps(network, pictures, kind, [layers[chosen]], [lambda logits: logits[0][where].sum()])
    whole = prepared.to_scan_map(found[0])
    return whole / max(float(whole.max()), 1e-9)
