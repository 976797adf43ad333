"""The one prediction path: geometry, determinism, threads, refusals, loading."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nerve_core.errors import CheckpointError
from nerve_core.imaging.preprocess import Preprocess
from nerve_core.imaging.scan import CalibratedRegion, Scan
from nerve_core.inference import predictor as module
from nerve_core.inference.looks import hesitant, sigmoid, window_around
from nerve_core.inference.prediction import NOT_ASSESSABLE, Prediction
from nerve_core.inference.predictor import Predictor, get_predictor, nerve_of


def speckle(shape: tuple[int, int], seed: int = 0) -> Scan:
    return Scan(np.random.default_rng(seed).rayleigh(60, shape).clip(0, 255).astype(np.uint8))


def same(one: Prediction, other: Prediction) -> bool:
    return (
        np.array_equal(one.probability, other.probability)
        and np.array_equal(one.mask, other.mask)
        and [nerve.p_affected for nerve in one.nerves] == [nerve.p_affected for nerve in other.nerves]
    )


@pytest.mark.parametrize("shape", [(120, 90), (61, 200), (256, 256)])
def test_maps_have_the_size_of_the_scan(predictor: Predictor, shape: tuple[int, int]) -> None:
    answer = predictor.predict(speckle(shape))
    assert answer.probability.shape == answer.mask.shape == shape
    assert answer.probability.dtype == np.float32
    assert 0 <= answer.probability.min() <= answer.probability.max() <= 1
    assert set(np.unique(answer.mask)) <= {0, 255}
    assert answer.model == "untrained 0"
    assert answer.timings_ms["total"] == pytest.approx(
        sum(value for name, value in answer.timings_ms.items() if name != "total")
    )


def test_nerves_are_sorted_and_lie_in_the_mask(predictor: Predictor) -> None:
    answer = predictor.predict(speckle((200, 220)))
    assert answer.nerves
    chances = [nerve.p_affected for nerve in answer.nerves]
    assert chances == sorted(chances, reverse=True)
    assert answer.p_affected == chances[0]
    assert sum(nerve.area_px for nerve in answer.nerves) == np.count_nonzero(answer.mask)


def test_the_same_scan_gives_the_same_answer_from_many_threads(predictor: Predictor) -> None:
    scans = [speckle((100 + 10 * k, 130), k) for k in range(4)]
    alone = [predictor.predict(scan, click=(50.0, 40.0)) for scan in scans]
    with ThreadPoolExecutor(8) as pool:
        crowd = list(pool.map(lambda k: predictor.predict(scans[k % 4], click=(50.0, 40.0)), range(24)))
    assert all(same(answer, alone[k % 4]) for k, answer in enumerate(crowd))


def test_a_click_is_answered_by_the_mean_of_closer_and_closer_looks(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = iter([-9.0, 9.0, 9.0, 9.0])

    def contour(inputs: np.ndarray) -> np.ndarray:
        return np.full((1, 1, *inputs.shape[2:]), next(logits), np.float32)

    monkeypatch.setattr(predictor, "contour", contour)
    monkeypatch.setattr(predictor, "closer", (0.5, 0.35, 0.25))
    found = predictor.predict(speckle((200, 200)), click=(100.0, 100.0), gate=False).probability
    assert np.allclose(found[100, 100], 3 / 4, atol=1e-3)  # every look
    assert np.allclose(found[100, 70], 2 / 3, atol=1e-3)  # within 0.35 of the side, not within a quarter
    assert np.allclose(found[100, 60], 1 / 2, atol=1e-3)  # within half the side alone
    assert np.allclose(found[100, 30], 0, atol=1e-3)  # the whole frame alone
    assert next(logits, None) is None


def test_a_hesitant_first_look_is_averaged_with_the_mirror_image(predictor: Predictor) -> None:
    pixels = speckle((256, 256)).pixels
    one = predictor.predict(Scan(pixels), gate=False).probability
    other = predictor.predict(Scan(np.ascontiguousarray(pixels[:, ::-1])), gate=False).probability
    assert one.std() > 0.01
    np.testing.assert_allclose(other[:, ::-1], one, atol=1e-3)


def test_only_unclear_maps_are_hesitant() -> None:
    clear = np.zeros((64, 64), np.float32)
    assert hesitant(clear)
    clear[20:40, 20:40] = 0.98
    assert not hesitant(clear)
    clear[20:40, 20:30] = 0.5
    assert hesitant(clear)


def test_backends_agree(checkpoint: Path) -> None:
    scan = speckle((150, 150))
    one, other = (Predictor(checkpoint, "cpu", name).predict(scan) for name in ("torch", "openvino"))
    assert np.allclose(one.probability, other.probability, atol=1e-3)
    assert one.p_affected == pytest.approx(other.p_affected, abs=1e-3)


def test_a_dark_scan_is_refused_unless_the_gate_is_off(predictor: Predictor) -> None:
    scan = Scan(np.full((100, 100), 3, np.uint8))
    refused = predictor.predict(scan)
    assert refused.verdict == NOT_ASSESSABLE
    assert "dark" in refused.reason
    assert refused.p_affected is None
    assert not refused.mask.any()
    assert predictor.predict(scan, gate=False).reason is None


def test_changed_processing_keeps_the_size_of_the_network(predictor: Predictor) -> None:
    answer = predictor.predict(speckle((90, 90)), preprocess=Preprocess(size=512, median=3))
    assert answer.probability.shape == (90, 90)


def test_only_the_region_can_hold_nerves(predictor: Predictor) -> None:
    scan = speckle((160, 160)).with_region((0, 0, 80, 160))
    assert not predictor.predict(scan).probability[80:].any()


def test_area_in_mm2_uses_the_region_that_holds_the_nerve() -> None:
    mask = np.zeros((100, 200), np.uint8)
    mask[40:60, 120:140] = 1
    regions = (
        CalibratedRegion((0, 0, 100, 100), (0.5, 0.5)),
        CalibratedRegion((0, 100, 100, 200), (0.1, 0.2)),
    )
    scan = Scan(np.zeros((100, 200), np.uint8), spacing_mm=(0.5, 0.5), calibrated=regions)
    nerve = nerve_of(scan, mask, mask.astype(np.float32), 0.7)
    assert nerve.area_px == 400
    assert nerve.area_mm2 == pytest.approx(8.0)
    assert nerve_of(Scan(np.zeros((100, 200), np.uint8)), mask, mask.astype(np.float32), 0.7).area_mm2 is None


@pytest.mark.parametrize("point", [(0.0, 0.0), (150.0, 90.0), (299.0, 199.0), (-40.0, 900.0)])
def test_the_second_look_stays_in_the_region(point: tuple[float, float]) -> None:
    top, left, bottom, right = window_around(point, (10, 20, 190, 280), 0.5)
    assert 10 <= top < bottom <= 190
    assert 20 <= left < right <= 280
    assert (bottom - top, right - left) == (130, 130)


def test_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_loaded_once_and_shared(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(checkpoint.parent))
    monkeypatch.setenv("NERVE_BACKEND", "torch")
    monkeypatch.setattr(module, "_LOADED", {})
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: get_predictor("untrained"), range(4)))
    assert len({id(one) for one in found}) == 1


@pytest.mark.parametrize("name", ["nothing", "../untrained", "", "a/b"])
def test_unknown_weights_are_named(name: str, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NERVE_CHECKPOINTS", str(checkpoint.parent))
    with pytest.raises(CheckpointError, match="untrained"):
        Predictor.load(name or "none at all")


def test_unknown_backend(checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="openvino"):
        Predictor(checkpoint, "cpu", "abacus")
