"""Packed scans on disk: what goes in comes out, whatever was altered is noticed, nothing is half written."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nerve_core.data.shards import AlteredError, Item, read_shards, write_shards
from nerve_core.errors import DataError

SIZES = ((40, 50), (1, 7), (33, 20))


def items(count: int = 3, seed: int = 0) -> Iterator[Item]:
    """Every second one with vessels."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        size = SIZES[k % len(SIZES)]
        image = rng.integers(0, 256, size, np.uint8)
        vessels = (image > 200).astype(np.uint8) if k % 2 else None
        yield Item({"image": f"{k}.png", "label": "wäre"}, image, (image < 50).astype(np.uint8), vessels)


def same(one: list[Item], other: list[Item]) -> bool:
    return len(one) == len(other) and all(
        a.row == b.row
        and (a.vessels is None) == (b.vessels is None)
        and all(np.array_equal(x, y) for x, y in zip(a[1:], b[1:], strict=True) if x is not None)
        for a, b in zip(one, other, strict=True)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_shards(items(), tmp_path / "set")
    return tmp_path / "set"


def test_what_goes_in_comes_out_and_cannot_be_written_to(folder: Path) -> None:
    found = read_shards(folder)
    assert same(found, list(items()))
    assert all(part.dtype == np.uint8 for item in found for part in item[1:] if part is not None)
    with pytest.raises(ValueError, match="read-only"):
        found[0].image[0, 0] = 1
    assert [path.name for path in folder.parent.iterdir()] == ["set"]


@settings(max_examples=25, deadline=None)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.booleans()), min_size=1, max_size=8),
    text=st.text(max_size=5),
    data=st.data(),
)
def test_any_shapes_and_texts(
    tmp_path_factory: pytest.TempPathFactory,
    shapes: list[tuple[int, int, bool]],
    text: str,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    given_items = []
    for height, width, marked in shapes:
        image, mask, vessels = rng.integers(0, 256, (3, height, width), np.uint8)
        given_items.append(Item({"note": text}, image, mask, vessels if marked else None))
    out = tmp_path_factory.mktemp("any") / "set"
    write_shards(given_items, out)
    assert same(read_shards(out), given_items)


def test_opening_decodes_nothing_and_takes_no_memory(tmp_path: Path) -> None:
    large = np.random.default_rng(0).integers(0, 256, (1000, 1000), np.uint8)
    write_shards((Item({}, large, large, large) for _ in range(40)), tmp_path / "set")  # 120 MB
    code = """
import resource, sys
from pathlib import Path
from nerve_core.data.shards import read_shards
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
items = read_shards(Path(sys.argv[1]))
print(len(items), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "set")], capture_output=True, text=True, check=True
    )
    count, grown = map(int, done.stdout.split())
    assert count == 40
    assert grown * (1 if sys.platform == "darwin" else 1024) < 20e6


@pytest.mark.parametrize("name", ["images.u8", "masks.u8", "vessels.u8", "index.json"])
@pytest.mark.parametrize("fault", ["cut", "altered", "longer", "gone"])
def test_a_set_that_was_cut_off_or_altered_is_never_used(folder: Path, name: str, fault: str) -> None:
    file = folder / name
    whole = file.read_bytes()
    if fault == "gone":
        file.unlink()
    else:
        middle = len(whole) // 2
        other = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        file.write_bytes({"cut": whole[:-1], "altered": other, "longer": whole + b"\0"}[fault])
    with pytest.raises(DataError, match=r"is no packed set|was cut off or altered") as caught:
        read_shards(folder)
    assert (name == "index.json" and fault == "gone") != isinstance(caught.value, AlteredError)


def test_a_set_of_another_version_and_a_folder_that_is_none(folder: Path, tmp_path: Path) -> None:
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | {"format": 99}))
    with pytest.raises(DataError, match="another version"):
        read_shards(folder)
    with pytest.raises(DataError, match="no packed set"):
        read_shards(tmp_path)


def test_nothing_is_overwritten_and_no_items_are_no_set(folder: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(DataError, match="not empty"):
        write_shards(items(1), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with pytest.raises(DataError, match="no scan to pack"):
        write_shards([], tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_an_item_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Item]:
        yield from items(2)
        raise DataError("The third is damaged.")

    with pytest.raises(DataError, match="third"):
        write_shards(broken(), tmp_path / "set")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """A real limit: the system refuses to let any file grow beyond 100 kB."""
    code = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from nerve_core.data.shards import Item, write_shards
from nerve_core.errors import DataError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
one = np.ones((100, 100), np.uint8)
try:
    write_shards((Item({}, one, one, one) for _ in range(50)), Path(sys.argv[1]))
except DataError as fault:
    print(fault)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "set")], capture_output=True, text=True, check=False
    )
    assert "is full; free some space" in done.stdout and done.stderr == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("when", ["fsync", "rename"])
def test_a_disk_that_fills_up_at_the_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((os, "fsync", full) if when == "fsync" else (Path, "rename", full)))
    with pytest.raises(DataError, match="is full"):
        write_shards(items(), tmp_path / "set")
    assert not list(tmp_path.iterdir())


SLOW = """
import sys, time
from pathlib import Path
import numpy as np
from nerve_core.data.shards import Item, write_shards
def slow():
    while True:
        yield Item({}, *[np.ones((500, 500), np.uint8)] * 3)
        time.sleep(0.01)
        print("one", flush=True)
write_shards(slow(), Path(sys.argv[1]))
"""


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of packing ``set``."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(tmp_path / "set")], stdout=subprocess.PIPE, text=True
    )
    for _ in range(3):
        process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_after_a_kill_the_next_run_clears_up(tmp_path: Path, slow: subprocess.Popen[str]) -> None:
    slow.send_signal(signal.SIGKILL)
    slow.wait()
    assert not (tmp_path / "set").exists() and (tmp_path / ".set.packing").exists()
    write_shards(items(), tmp_path / "set")
    assert same(read_shards(tmp_path / "set"), list(items()))
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_two_processes_never_mix(tmp_path: Path, slow: subprocess.Popen[str]) -> None:
    with pytest.raises(DataError, match="Another process is making"):
        write_shards(items(), tmp_path / "set")
    assert slow.poll() is None and (tmp_path / ".set.packing" / "images.u8").exists()
    write_shards(items(), tmp_path / "other")


def test_who_waits_takes_what_the_other_wrote(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held() -> Iterator[Item]:
        begun.set()
        go_on.wait(10)
        yield from items()

    first = threading.Thread(target=write_shards, args=(held(), tmp_path / "set"))
    first.start()
    begun.wait(10)
    second = threading.Thread(target=write_shards, args=(items(1), tmp_path / "set"), kwargs={"wait": True})
    second.start()
    time.sleep(0.1)
    go_on.set()
    first.join()
    second.join()
    assert len(read_shards(tmp_path / "set")) == 3


def test_parts_of_another_shape_are_a_fault_of_the_caller(tmp_path: Path) -> None:
    one = np.ones((4, 5), np.uint8)
    with pytest.raises(ValueError, match="masks"):
        write_shards([Item({}, one, one.T, None)], tmp_path / "set")
    assert not list(tmp_path.iterdir())
