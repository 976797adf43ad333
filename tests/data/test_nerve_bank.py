"""Single nerves prepared for the verdict: every kind, and the contour that a network would have drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nerve_core.data.nerve_bank import AGREE, build_bank
from nerve_core.data.packed import Packed
from tests.evaluation.fakes import disc


class Moved:
    """Draws what it knows to be there, moved to the right, and one thing that is no nerve."""

    def __init__(self, mask: np.ndarray, by: int, key: str = "moved") -> None:
        self.mask, self.by, self.key, self.seen = mask, by, key, 0

    def __call__(self, images):
        self.seen += len(images)
        drawn = np.roll(self.mask, self.by, axis=1)
        drawn[:10, :10] = 1
        return [drawn.copy() for _ in images]


@pytest.fixture
def packed() -> Packed:
    rng = np.random.default_rng(0)
    mask = (np.maximum(disc((160, 200), 60, 80, 18), disc((160, 200), 140, 80, 14)) > 0).astype(np.uint8)
    image = rng.integers(40, 120, mask.shape).astype(np.uint8)
    return Packed([{"image": "a.png", "site": "wrist", "set": "s"}], [image], [mask])


def test_originals_shams_and_affected(packed: Packed) -> None:
    bank = build_bank(packed, 4, 2, seed=0, workers=1)
    assert [one.kind for one in bank] == ["original"] * 2 + ["affected"] * 4 + ["sham"] * 2
    assert all((one.severity > 0) == (one.kind == "affected") for one in bank)
    assert all(one.image.shape == one.nerve.shape and one.nerve.any() and one.drawn is None for one in bank)


def test_the_drawn_contour_stands_beside_the_true_one(packed: Packed) -> None:
    drawer = Moved(packed.masks[0], 4)
    bank = build_bank(packed, 1, 1, seed=0, workers=1, drawer=drawer)
    assert drawer.seen == 3  # each picture once, however many nerves it shows
    left, right = (one for one in bank if one.kind == "original")
    for one, radius in ((left, 18), (right, 14)):
        assert one.drawn.shape == one.nerve.shape
        overlap = (one.drawn & one.nerve).sum() / (one.drawn | one.nerve).sum()
        assert AGREE < overlap < 1
        # The nearest nerve and nothing else: about as large as the true one.
        assert one.drawn.sum() == pytest.approx(np.pi * radius**2, rel=0.1)


def test_what_does_not_agree_is_not_taken(packed: Packed) -> None:
    bank = build_bank(packed, 0, 0, seed=0, workers=1, drawer=Moved(packed.masks[0], 26))
    assert [one.drawn for one in bank] == [None, None]


def test_a_bank_is_kept_for_its_drawer_alone(packed: Packed, tmp_path: Path) -> None:
    first, again, other = (Moved(packed.masks[0], 4, key) for key in ("one", "one", "two"))
    kept = build_bank(packed, 1, 0, seed=0, cache=tmp_path, workers=1, drawer=first)
    same = build_bank(packed, 1, 0, seed=0, cache=tmp_path, workers=1, drawer=again)
    build_bank(packed, 1, 0, seed=0, cache=tmp_path, workers=1, drawer=other)
    assert (first.seen, again.seen, other.seen) == (2, 0, 2)
    assert all(np.array_equal(a.drawn, b.drawn) for a, b in zip(kept, same, strict=True))
    assert len(list(tmp_path.iterdir())) == 2


def test_every_second_affected_version_shows_one_kind_alone(packed: Packed, monkeypatch) -> None:
    import nerve_core.data.nerve_versions as module

    asked = []
    real = module.affect
    monkeypatch.setattr(
        module, "affect", lambda *args, **names: asked.append(names["kinds"]) or real(*args, **names)
    )
    build_bank(packed, 4, 0, seed=0, workers=1)
    assert [kinds is None for kinds in asked] == [True, False, True, False]
    assert all(len(kinds) == 1 for kinds in asked if kinds)
