"""How often each set, site and label is drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nerve_core.data.balance import Draw, is_made, sampling_weights

SIZES = {("small", "wrist", ""): 4, ("large", "wrist", ""): 12, ("large", "neck", ""): 4}
ROWS = [
    {"set": name, "site": site, "label": label}
    for (name, site, label), count in SIZES.items()
    for _ in range(count)
]


def shares(weights: np.ndarray, column: str, rows: list[dict[str, str]] = ROWS) -> dict[str, float]:
    names = [row[column] for row in rows]
    return {name: float(weights[[own == name for own in names]].sum()) for name in set(names)}


def test_a_set_counts_by_the_root_of_its_size_and_its_emphasis() -> None:
    assert shares(sampling_weights(ROWS), "set") == pytest.approx({"small": 1 / 3, "large": 2 / 3})
    weights = sampling_weights(ROWS, emphasis={"small": 3.0, "unknown": 9.0})
    assert shares(weights, "set") == pytest.approx({"small": 0.6, "large": 0.4})


def test_every_set_or_site_alike() -> None:
    half = {"wrist": 0.5, "neck": 0.5}
    assert shares(sampling_weights(ROWS, "none"), "set") == pytest.approx({"small": 0.2, "large": 0.8})
    assert shares(sampling_weights(ROWS, "set"), "set") == pytest.approx({"small": 0.5, "large": 0.5})
    assert shares(sampling_weights(ROWS, "site"), "site") == pytest.approx(half)
    weights = sampling_weights(ROWS, "set_and_site")
    assert shares(weights, "set") == pytest.approx({"small": 0.5, "large": 0.5})
    assert shares(weights, "site") == pytest.approx({"wrist": 0.75, "neck": 0.25})


@pytest.mark.parametrize("balance", ["root", "none", "set"])
def test_affected_rows_are_drawn_more_often_within_their_set(balance: str) -> None:
    rows = [{"set": "a", "label": "affected"}] + [{"set": "a", "label": "unaffected"}] * 4
    rows += [{"set": "b", "label": "unaffected"}] * 5
    plain, more = sampling_weights(rows, balance), sampling_weights(rows, balance, affected_weight=4)
    assert more[0] == pytest.approx(4 * more[1])
    assert shares(more, "set", rows) == pytest.approx(shares(plain, "set", rows))
    assert shares(more, "label", rows)["affected"] == pytest.approx(0.25)


def test_balanced_draws_fill_every_batch_alike() -> None:
    draw = Draw(ROWS, "set", seed=3)
    rng = np.random.default_rng(0)
    drawn = [draw(epoch, index, rng) for epoch in range(3) for index in range(160)]
    sets = [ROWS[k]["set"] for k in drawn]
    for start in range(0, len(sets), 16):
        assert 7 <= Counter(sets[start : start + 16])["small"] <= 9
    assert set(drawn) == set(range(len(ROWS)))
    emphasised = Draw(ROWS, "set", {"small": 3.0})
    found = Counter(ROWS[emphasised(0, index, rng)]["set"] for index in range(400))
    assert found["small"] / 400 == pytest.approx(0.75, abs=0.01)


def test_draws_by_the_root_follow_their_weights() -> None:
    draw, rng = Draw(ROWS), np.random.default_rng(0)
    found = Counter(ROWS[draw(0, index, rng)]["set"] for index in range(3000))
    assert found["small"] / 3000 == pytest.approx(1 / 3, abs=0.03)


def test_simulated_and_generated_rows_are_made() -> None:
    assert is_made({"simulated": "1"})
    assert is_made({"generated": "1", "simulated": ""})
    assert not is_made({"simulated": "0"})
