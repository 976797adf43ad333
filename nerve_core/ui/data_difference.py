"""Two pictures of one place as one: where the second is brighter or darker than the first."""

from __future__ import annotations

import cv2
import numpy as np

from nerve_core.ui.theme import rgb

BRIGHTER, DARKER = "#E69F00", "#56B4E9"
"""Orange and sky blue of Okabe and Ito (2008), apart for every common colour vision."""

FULL = 64
"""Grey levels at which the colour is full."""

LEGEND = "".join(
    f'<span style="margin-right:1rem;white-space:nowrap;font-size:.85rem"><i style="display:inline-block;'
    f"width:.7rem;height:.7rem;border-radius:50%;margin-right:.35rem;background:{colour};"
    f'border:1px solid currentColor"></i>{words}</span>'
    for colour, words in (
        (BRIGHTER, f"brighter, full colour at {FULL} grey levels of 255"),
        (DARKER, f"darker, full colour at {FULL} grey levels"),
        ("#1B1B1B", "no change"),
    )
)
"""HTML that says what the colours mean."""


def difference(before: np.ndarray, after: np.ndarray, longest: int) -> np.ndarray:
    """What changed, as colours on black.

    Args:
        before, after: uint8 (H, W).
        longest: longest side wanted, px; small pictures are enlarged at most four times.

    Returns:
        uint8 (h, w, 3), RGB: orange where ``after`` is brighter, blue where it is darker.
    """
    change = np.clip((after.astype(np.float32) - before) / FULL, -1, 1)[..., None]
    up, down = (np.array(rgb(colour), np.float32) for colour in (BRIGHTER, DARKER))
    picture = np.rint(np.maximum(change, 0) * up + np.maximum(-change, 0) * down).astype(np.uint8)
    zoom = min(longest / max(before.shape), 4.0)
    size = max(round(before.shape[1] * zoom), 1), max(round(before.shape[0] * zoom), 1)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
