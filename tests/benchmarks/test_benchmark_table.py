"""docs/benchmark.md is made of what is published, and of nothing else."""

from __future__ import annotations

import pytest

from benchmarks import benchmark_table
from nerve_core.evaluation.methods import version_of
from nerve_core.evaluation.published import publish
from nerve_core.evaluation.results import ResultsStore, Run
from nerve_core.evaluation.scoring import Answer, Scored
from tests.evaluation.test_results import GOOD, NONE, scored


def judged(image: str, label: int, p: float, severity: float, sham: int) -> Scored:
    row = {
        "image": image,
        "listed image": image,
        "group": image,
        "severity": str(severity),
        "sham": str(sham),
    }
    return Scored(row, label=label, has_nerve=True, size=0.02, answer=Answer(GOOD, None, p, "affected"))


@pytest.fixture
def results(tmp_path, monkeypatch):
    store = ResultsStore(tmp_path / "results.sqlite")
    for name in ("usgra", "ubpd"):
        store.add(Run("otsu", name), [scored("a.png", "1", NONE), scored("b.png", "2", NONE)])
        store.add(Run("unet", name, setup="64 px"), [scored("a.png", "1"), scored("b.png", "2")])
        store.add(Run("unet", name, "image", setup="64 px"), [scored("a.png", "1")])
    cases = [judged("a", 1, 0.9, 0.8, 0), judged("b", 0, 0.2, 0, 0), judged("c", 0, 0.7, 0, 1)]
    (version,) = version_of("weights:research")
    store.add(Run("weights:research", "usgra", task="verdict", setup=version), cases)
    store.add(Run("unet", "usgra", "blur 0.5", "robustness", setup="64 px"), [scored("a.png", "1", NONE)])
    store.add_cost("unet", {"parameters": 5_000_000, "macs": 1, "size": 128})
    publish(store, tmp_path / "out")
    monkeypatch.setenv("NERVE_RESULTS", str(tmp_path / "out"))


def test_every_part_is_there(results):
    page = benchmark_table.page()
    assert "### Mean Dice over ubpd, usgra, without a click" in page
    assert "| Plain U-Net, narrow | 0.800 |" in page and "| Otsu's threshold | 0.000 |" in page
    assert "| by image |" in page and "| by group |" in page
    assert "### The same without sham controls in the test" in page
    assert "| Plain U-Net, narrow | blur | 1 | 0.800 |" in page  # from 0.8 to 0
    assert "| 5 000 000 |" in page


def test_nothing_published(tmp_path, monkeypatch):
    monkeypatch.setenv("NERVE_RESULTS", str(tmp_path))
    assert "Nothing is measured yet" in benchmark_table.page()


def test_the_page_is_written_whole(results, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_table, "PAGE", tmp_path / "benchmark.md")
    assert benchmark_table.main() == 0
    assert (tmp_path / "benchmark.md").read_text() == benchmark_table.page()
    assert not list(tmp_path.glob(".*"))
