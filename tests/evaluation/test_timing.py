import numpy as np

from nerve_core.evaluation.timing import median, p95, time_once, time_path
from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import NO_NERVE, Prediction


class Recorder:
    """Writes down when it was called and states known stage times."""

    def __init__(self, name: str, log: list[str], network: float) -> None:
        self.name, self.log, self.network = name, log, network

    def predict(self, scan, click=None, *, gate=True):
        self.log.append(self.name)
        empty = np.zeros(scan.pixels.shape, np.uint8)
        timings = {"preprocess": 1.0, "network": self.network, "verdict": 2.0, "total": self.network + 3}
        return Prediction(empty.astype(np.float32), empty, (), NO_NERVE, None, "fake 1", timings_ms=timings)


def read(source: bytes) -> Scan:
    return Scan(np.frombuffer(source, np.uint8).reshape(8, 8).copy())


def test_the_two_take_turns_and_swap_who_goes_first():
    log: list[str] = []
    done = []
    times = time_path(
        {"fast": Recorder("fast", log, 4), "eager": Recorder("eager", log, 40)},
        bytes(64),
        read,
        runs=4,
        warmup=2,
        progress=lambda *state: done.append(state),
    )
    assert log == ["fast", "eager", "eager", "fast"] * 3
    assert {name: len(stages["path"]) for name, stages in times.items()} == {"fast": 4, "eager": 4}
    assert times["fast"]["network"] == [6] * 4 and times["eager"]["network"] == [42] * 4
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_path_holds_its_decoding():
    stages = time_once(Recorder("fast", [], 4), bytes(64), read)
    assert stages["path"] >= stages["decode"] >= 0
    assert stages["preprocess"] == 1 and "verdict" not in stages


def test_median_and_p95():
    assert median([1, 2, 9]) == 2
    assert p95(range(101)) == 95
