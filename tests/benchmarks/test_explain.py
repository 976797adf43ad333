"""The benchmark of maps finds the verdicts that were turned, sums up rightly, and its tables show it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks import explain as bench
from benchmarks.explain_table import TABLES
from nerve_core.errors import DataError
from nerve_core.explain.faithfulness import Faithfulness
from nerve_core.explain.judge import Judge, look_at
from nerve_core.explain.localised import PARTS
from tests.explain.conftest import nerve, scan, weights


class Alarmed:
    """Calls everything affected that is not the scan it knows."""

    device = "cpu"

    def __init__(self, known: torch.Tensor) -> None:
        self.known = known

    @contextmanager
    def lend(self, which: str = "verdict") -> Iterator[object]:
        def logits(crops: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
            return torch.full((len(crops),), 1.0 if (crops - self.known).abs().max() > 0.1 else -1.0)

        yield logits

    def probability(self, logit: float) -> float:
        return 0.9 if logit > 0 else 0.1


@pytest.fixture
def row(tmp_path: Path) -> dict[str, str]:
    cv2.imwrite(str(tmp_path / "scan.png"), scan())
    cv2.imwrite(str(tmp_path / "mask.png"), nerve() * 255)
    return {"image": str(tmp_path / "scan.png"), "mask": str(tmp_path / "mask.png"), "group": "g1"}


def counted() -> dict[str, dict[str, int]]:
    return {kind: {"tried": 0, "turned": 0} for kind in PARTS}


def test_only_verdicts_that_the_change_turned_are_explained(row: dict[str, str], tmp_path: Path) -> None:
    counts = counted()
    found = list(bench.turned([("s", row)], Alarmed(look_at(scan(), nerve()).crops), counts))
    tried = sum(count["tried"] for count in counts.values())
    assert found and len(found) == tried == sum(count["turned"] for count in counts.values())
    assert all(case.group == "s/g1" and case.altered.any() for case in found)
    firm = counted()
    assert not list(
        bench.turned([("s", row)], Alarmed(torch.zeros(1)), firm)
    )  # affected before: not explained
    assert firm == counted()
    judge = Judge(weights(tmp_path / "weights", "nerve_pooled"))
    figures = dict(bench.measure(found[:1], judge, (("hires_cam", "fine"),), 1))
    one = figures["hires_cam fine"]
    assert one["n"] == 1 and one["layer"] == "fine" and "random_weights" in one
    page = TABLES.rewritten(
        f"a\n{TABLES.begin}\nold\n{TABLES.end}\nb",
        {"w": {"version": "1", "test": {"scans": 1, "regenerate": "x", "cases": counts, "methods": figures}}},
    )
    assert "| HiResCAM | fine | 1 (1) |" in page and "old" not in page and page.startswith("a\n")


def test_densities_are_averaged_as_ratios() -> None:
    tally = bench.Tally(["a", "b"], ["rim", "dent"], [Faithfulness(2.0, True), Faithfulness(8.0, False)])
    found = tally.summary()
    assert found["density"]["value"] == pytest.approx(4.0) and found["pointing"]["value"] == 0.5
    assert found["kinds"]["rim"]["density"]["value"] == pytest.approx(2.0) and "undone" not in found


def test_the_largest_nerve_is_taken() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[2:6, 2:6] = mask[10:30, 10:30] = 255
    assert bench.largest(mask).sum() == 400 and not bench.largest(np.zeros((4, 4))).any()


def test_figures_of_older_weights_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "TARGET", tmp_path / "explain.json")
    bench.save("w", "1", "val", {"n": 1})
    bench.save("w", "1", "test", {"n": 2})
    bench.save("w", "2", "test", {"n": 3})
    assert json.loads((tmp_path / "explain.json").read_text()) == {"w": {"version": "2", "test": {"n": 3}}}


def test_a_page_without_markers_is_left_alone() -> None:
    with pytest.raises(DataError, match="must hold"):
        TABLES.rewritten("no markers", {})
