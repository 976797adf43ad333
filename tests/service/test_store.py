"""Uploads are kept whole, once, under names that give nothing away."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from nerve_core.service.store import StorageError, extension_of, store_upload
from tests.service.fakes import as_file, scan_array


@pytest.mark.parametrize(
    ("kind", "extension"), [("PNG", ".png"), ("JPEG", ".jpg"), ("TIFF", ".tif"), ("BMP", ".bmp")]
)
def test_extension_follows_the_content(kind: str, extension: str) -> None:
    assert extension_of(as_file(scan_array(), kind)) == extension


def test_dicom_is_known_by_its_preamble() -> None:
    assert extension_of(b"BM" + b"\0" * 126 + b"DICM") == ".dcm"


def test_name_is_the_hash_of_the_content(tmp_path: Path) -> None:
    data = as_file(scan_array())
    kept = store_upload(data, tmp_path / "new" / "folder")
    assert kept.name == hashlib.sha256(data).hexdigest() + ".png"
    assert kept.read_bytes() == data
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    data = as_file(scan_array())
    first, second = store_upload(data, tmp_path), store_upload(data, tmp_path)
    assert first == second
    assert os.listdir(tmp_path) == [first.name]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, step, full)
    with pytest.raises(StorageError, match="No space left"):
        store_upload(b"BM scan", tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="could not be stored"):
        store_upload(b"BM scan", tmp_path / "file" / "uploads")
