"""Manifests and plain folders become rows; what is wrong is said in one sentence."""

from pathlib import Path

import pytest

from nerve_core.data import manifest
from nerve_core.data.manifest import is_open, read_manifest
from nerve_core.errors import DataError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_paths_become_absolute_and_columns_are_kept(tmp_path: Path) -> None:
    file = write(
        tmp_path / "manifest.csv", "image,mask,label,group,site\na/1.png,m/1.png,affected,p1,wrist\n"
    )
    (row,) = read_manifest(file)
    assert row["image"] == str(tmp_path / "a/1.png")
    assert row["mask"] == str(tmp_path / "m/1.png")
    assert (row["label"], row["site"], row["set"]) == ("affected", "wrist", tmp_path.name)
    assert read_manifest(tmp_path) == [row]


def test_a_whole_path_that_the_user_wrote_stays(tmp_path: Path) -> None:
    scans = tmp_path / "elsewhere"
    file = write(
        tmp_path / "manifest.csv",
        f"image,mask,mask_vessel,group\n{scans}/1.png,{scans}/m.png,v/1.png,p\nb.png,,,p\n",
    )
    one, other = read_manifest(file)
    assert (one["image"], one["mask"]) == (str(scans / "1.png"), str(scans / "m.png"))
    assert (one["mask_vessel"], other["mask_vessel"], other["mask"]) == (str(tmp_path / "v/1.png"), "", "")


def test_a_plain_folder_of_two_classes(tmp_path: Path) -> None:
    for label in ("affected", "unaffected"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.png").touch()
        (tmp_path / label / "notes.txt").touch()
    found = read_manifest(tmp_path)
    assert sorted(row["label"] for row in found) == ["affected", "unaffected"]
    assert len({row["group"] for row in found}) == 2
    assert all(row["mask"] == "" for row in found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("image,mask\na,b\n", "group"),
        ("image,group,label\na,g,sick\n", "sick"),
        ("image,group\n,g\n", "Line 2"),
        ("image,group\n", "no images"),
        ("image,group\n../other/a.png,g\n", "Line 2.*leads out"),
        ("image,mask,group\na.png,m/../../b.png,g\n", "Line 2.*leads out"),
        ("image,group,mask_vessel\na.png,g,../b.png\n", "Line 2.*leads out"),
        ("image,group\n..\\\\a.png,g\n", "leads out"),
        ("image,group\n" + "x" * 200_000 + ",g\n", "damaged CSV"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_manifest(write(tmp_path / "manifest.csv", text))


def test_a_spreadsheet_is_not_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        read_manifest(tmp_path / "manifest.csv")


def test_a_manifest_too_long_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "manifest.csv", "image,group\n" + "a.png,g\n" * 11)
    monkeypatch.setattr(manifest, "MAX_ROWS", 11)
    assert len(read_manifest(file)) == 11
    monkeypatch.setattr(manifest, "MAX_ROWS", 10)
    monkeypatch.setattr(manifest, "_lines", lambda _: pytest.fail("it was read"))
    with pytest.raises(DataError, match="lists 11 images, more than the 10"):
        read_manifest(file)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    (tmp_path / "manifest.csv").write_bytes(end.join(["image,group", *["a.png,g"] * 9, ""]).encode())
    monkeypatch.setattr(manifest, "MAX_ROWS", 9)
    assert len(read_manifest(tmp_path)) == 9
    monkeypatch.setattr(manifest, "MAX_ROWS", 8)
    with pytest.raises(DataError, match="lists 9 images"):
        read_manifest(tmp_path)


def test_rows_without_a_group_come_through_only_for_a_check(tmp_path: Path) -> None:
    file = write(tmp_path / "manifest.csv", "image,group\na.png,\nb.png,p1\n")
    assert [row["group"] for row in read_manifest(file, with_groups=False)] == ["", "p1"]
    with pytest.raises(DataError, match="Line 2"):
        read_manifest(file)


def test_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no manifest"):
        read_manifest(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("licence", "open_"),
    [
        ("CC-BY-4.0", True),
        ("MIT", True),
        ("CC0-1.0", True),
        ("CC-BY-NC-4.0", False),
        ("CC BY NonCommercial", False),
        ("research only; none stated", False),
        ("", False),
    ],
)
def test_open_licences(licence: str, open_: bool) -> None:
    assert is_open({"licence": licence}) is open_
