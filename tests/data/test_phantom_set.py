"""A set of phantoms appears whole, the same every time, and never over something else."""

import csv
from pathlib import Path

import cv2
import pytest

from nerve_core.data.manifest import is_open, read_manifest
from nerve_core.data.phantom_anatomy import SITES
from nerve_core.data.phantom_set import write_phantom_set
from nerve_core.errors import DataError

SIZE = (96, 96)


def test_every_site_with_truth(tmp_path: Path) -> None:
    rows = read_manifest(write_phantom_set(tmp_path / "set", len(SITES), seed=5, size=SIZE))
    assert {row["site"] for row in rows} == set(SITES)
    assert len({row["group"] for row in rows}) == len(SITES)
    assert all(row["simulated"] == "1" and is_open(row) for row in rows)
    for row in rows:
        mask = cv2.imread(row["mask"], cv2.IMREAD_GRAYSCALE)
        assert mask.shape == cv2.imread(row["image"], cv2.IMREAD_GRAYSCALE).shape == SIZE
        assert mask.any()
        vessels = cv2.imread(str(tmp_path / "set" / row["mask_vessel"]), cv2.IMREAD_GRAYSCALE)
        assert vessels.shape == SIZE and not (vessels & mask).any()


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_phantom_set(tmp_path / name, 2, seed=9, size=SIZE)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 7
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)


def test_nothing_is_overwritten_and_nothing_half_done_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match="not empty"):
        write_phantom_set(tmp_path / "full", 1)
    for wrong, says in (
        ({"count": 0}, "At least 1"),
        ({"count": 2, "sweeps": -1}, "At least 1"),
        ({"count": 1, "seed": -1}, "seed"),
        ({"count": 1, "probe": "round"}, "linear, curved, any"),
        ({"count": 1, "sites": ["ankle", "liver"]}, "liver"),
        ({"count": 1, "size": (10, 10)}, "px"),
    ):
        with pytest.raises(DataError, match=says):
            write_phantom_set(tmp_path / "none", **wrong)

    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("nerve_core.data.phantom_set.simulate", broken)
    with pytest.raises(OSError, match="disk full"):
        write_phantom_set(tmp_path / "half", 3)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_the_command_prints_the_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nerve_core.cli import main

    assert main(["data", "phantoms", "--out", str(tmp_path / "set"), "--count", "1"]) == 0
    written = Path(capsys.readouterr().out.strip())
    with written.open() as file:
        assert len(list(csv.DictReader(file))) == 1


def test_the_number_of_processes_does_not_change_a_byte(tmp_path: Path) -> None:
    for processes in (1, 2):
        write_phantom_set(tmp_path / str(processes), 4, seed=3, size=SIZE, processes=processes)
    names = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "2").iterdir())
    assert all((tmp_path / "1" / n).read_bytes() == (tmp_path / "2" / n).read_bytes() for n in names)


def test_a_set_keeps_to_the_sites_and_the_probe_asked_for(tmp_path: Path) -> None:
    made = write_phantom_set(tmp_path / "set", 6, seed=1, size=SIZE, sites=["ankle", "thigh"], probe="curved")
    rows = read_manifest(made)
    assert [row["site"] for row in rows] == ["ankle", "thigh"] * 3
    assert all("microconvex" in row["device"] for row in rows if row["site"] == "ankle")
    assert all("curved" in row["device"] or "convex" in row["device"] for row in rows)


def test_scanners_and_the_size_of_nerves_vary_widely(tmp_path: Path) -> None:
    rows = read_manifest(write_phantom_set(tmp_path / "set", 40, seed=11, size=SIZE, processes=1))
    assert len({row["device"] for row in rows}) >= 6
    shares = [cv2.imread(row["mask"], cv2.IMREAD_GRAYSCALE).astype(bool).mean() for row in rows]
    assert max(shares) > 10 * min(shares)


def test_a_sweep_is_a_calibrated_cine_with_a_mask_for_each_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nerve_core.data.packed import pack
    from nerve_core.imaging.read import open_scan

    monkeypatch.setattr("nerve_core.data.phantom_set.FRAMES", 3)
    rows = read_manifest(write_phantom_set(tmp_path / "set", 0, size=SIZE, sites=["elbow"], sweeps=2))
    assert len({row["group"] for row in rows}) == 2
    for row in rows:
        scan = open_scan(Path(row["image"]))
        assert scan.n_frames == 3 and scan.scan(2).spacing_mm is not None
        ok, pages = cv2.imreadmulti(row["mask"], flags=cv2.IMREAD_GRAYSCALE)
        assert ok and len(pages) == 3 and all(page.shape == SIZE and page.any() for page in pages)
        ok, vessels = cv2.imreadmulti(str(tmp_path / "set" / row["mask_vessel"]), flags=cv2.IMREAD_GRAYSCALE)
        assert ok and len(vessels) == 3
    # Training reads the first frame with the first page.
    packed = pack(rows)
    first = cv2.imreadmulti(rows[0]["mask"], flags=cv2.IMREAD_GRAYSCALE)[1][0]
    assert (packed.masks[0] > 0).sum() == (first > 0).sum()


def test_the_command_makes_what_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nerve_core.cli import main

    asked = ["data", "phantoms", "--out", str(tmp_path / "set"), "--count", "2", "--size"]
    assert main([*asked, "96x128", "--site", "fibular head", "--probe", "linear"]) == 0
    rows = read_manifest(capsys.readouterr().out.strip())
    assert [row["site"] for row in rows] == ["fibular head"] * 2
    assert cv2.imread(rows[0]["image"], cv2.IMREAD_GRAYSCALE).shape == (96, 128)
    for wrong in ("large", "0", "-5", "96x", "99999"):
        asked[3] = str(tmp_path / "wrong")
        assert main([*asked[:-1], f"--size={wrong}"]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "wrong").exists()
