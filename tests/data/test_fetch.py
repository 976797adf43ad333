"""Downloads that break off, archives that mean harm, and disks that are full."""

from __future__ import annotations

import errno
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nerve_core.data import fetch
from nerve_core.data.fetch import download, unpack, verify
from nerve_core.errors import DataError

CONTENT = bytes(range(256)) * 4000


class Server(ThreadingHTTPServer):
    """Serves CONTENT on this machine; told where to break off and whether ranges work."""

    tag = '"one"'
    break_after: int | None = None
    slow = False
    ranges = True
    asked: list[str | None]
    waiting: threading.Event


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.path != "/set.zip":
            return self.send_error(404)
        start = 0
        if wanted and self.server.ranges and self.headers.get("If-Range") == self.server.tag:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted).group(1))
        if start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.send_header("ETag", self.server.tag)
        self.end_headers()
        end = len(CONTENT) if self.server.break_after is None else start + self.server.break_after
        if self.server.slow and not start:
            self.wfile.write(CONTENT[:300_000])
            self.server.waiting.wait(20)
            return
        self.wfile.write(CONTENT[start:end])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.asked, found.waiting = [], threading.Event()
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def address(server: Server, name: str = "set.zip") -> str:
    return f"http://127.0.0.1:{server.server_port}/{name}"


def broken(server: Server, folder: Path) -> None:
    server.break_after = 300_000
    with pytest.raises(DataError, match="broke off"):
        download(address(server), folder)
    assert (folder / "set.zip.part").stat().st_size == 300_000
    assert not (folder / "set.zip").exists()
    server.break_after = None


def test_a_whole_download(server: Server, tmp_path: Path) -> None:
    told: list[float] = []
    path = download(address(server), tmp_path / "new", told.append)
    assert path.read_bytes() == CONTENT and told[-1] == 1
    assert sorted(found.name for found in path.parent.iterdir()) == ["set.zip"]
    verify(path, hashlib.sha256(CONTENT).hexdigest().upper())
    with pytest.raises(DataError, match="not the file"):
        verify(path, "0" * 64)


def test_a_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    broken(server, tmp_path)
    assert download(address(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_a_killed_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.slow = True
    code = "import sys, pathlib, nerve_core.data.fetch as f; f.CHUNK = 2**14; "
    code += "f.download(sys.argv[1], pathlib.Path(sys.argv[2]))"
    process = subprocess.Popen([sys.executable, "-c", code, address(server), str(tmp_path)])
    part, until = tmp_path / "set.zip.part", time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 200_000) and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    server.waiting.set()
    come = part.stat().st_size
    assert 200_000 < come <= 300_000 and not (tmp_path / "set.zip").exists()
    assert download(address(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={come}-"]
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]


def test_a_file_that_changed_meanwhile_is_fetched_afresh(server: Server, tmp_path: Path) -> None:
    broken(server, tmp_path)
    server.tag = '"two"'
    assert download(address(server), tmp_path).read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_of_it_again(server: Server, tmp_path: Path) -> None:
    broken(server, tmp_path)
    server.ranges = False
    assert download(address(server), tmp_path).read_bytes() == CONTENT


def test_a_whole_part_is_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set.zip.part").write_bytes(CONTENT)
    (tmp_path / "set.zip.part.tag").write_text('"one"')
    assert download(address(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [f"bytes={len(CONTENT)}-", None]


def test_wrong_addresses_are_one_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="answers 404"):
        download(address(server, "other.zip"), tmp_path)
    for url in ("file:///etc/passwd", "ftp://host/x.zip", "http:///x"):
        with pytest.raises(DataError, match="not one to download"):
            download(url, tmp_path)
    port = server.server_port
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match="broke off"):
        download(f"http://127.0.0.1:{port}/set.zip", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_disk_too_small_is_said_before_the_download(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: usage(10, 0, 10))
    with pytest.raises(DataError, match=r"disk .* is full"):
        download(address(server), tmp_path)
    assert not list(tmp_path.iterdir())


def zipped(path: Path, files: dict[str, bytes], link: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
        if link:
            info = zipfile.ZipInfo(link)
            info.external_attr = 0o120777 << 16
            packed.writestr(info, "/etc/passwd")
    return path


def tarred(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for member in members:
            packed.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, link, 3 if kind == tarfile.REGTYPE else 0
    return found


def test_archives_are_unpacked(tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "a.zip", {"in/a.png": b"xxx"}), tmp_path / "zip")
    unpack(tarred(tmp_path / "a.tar.gz", member("in/a.png")), tmp_path / "tar")
    for kind in ("zip", "tar"):
        assert (tmp_path / kind / "in" / "a.png").read_bytes() == b"xxx"


@pytest.mark.parametrize(
    "name", ["../out.png", "a/../../out.png", "/etc/out.png", "C:\\out.png", "..\\out.png"]
)
def test_an_archive_that_leaves_its_folder_is_refused_whole(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    before = sorted(tmp_path.rglob("*"))
    bad = [zipped(inner / "a.zip", {"good.png": b"x", name: b"x"})]
    bad.append(tarred(inner / "a.tar.gz", member("good.png"), member(name)))
    for archive in bad:
        with pytest.raises(DataError, match="leads out of its folder"):
            unpack(archive, inner / "set")
    assert sorted(tmp_path.rglob("*")) == sorted([*before, *bad])


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    bad = [zipped(tmp_path / "a.zip", {"good.png": b"x"}, link="link")]
    for number, (kind, link) in enumerate(
        [(tarfile.SYMTYPE, "/etc"), (tarfile.LNKTYPE, "a"), (tarfile.CHRTYPE, "")]
    ):
        bad.append(tarred(tmp_path / f"{number}.tar.gz", member("x", kind, link)))
    for archive in bad:
        with pytest.raises(DataError, match="link or a path"):
            unpack(archive, tmp_path / "set")
        assert not (tmp_path / "set").exists()


def test_damaged_archives_leave_nothing(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", {"a.png": bytes(range(256)) * 100}).read_bytes()
    damaged = bytearray(whole)
    damaged[60:80] = bytes(20)
    (tmp_path / "damaged.zip").write_bytes(damaged)
    packed = tarred(tmp_path / "a.tar.gz", *(member(f"{k}.png") for k in range(200))).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "text.zip").write_text("nothing")
    for name, says in {"damaged.zip": "damaged", "cut.tar.gz": "damaged", "text.zip": "neither"}.items():
        with pytest.raises(DataError, match=says):
            unpack(tmp_path / name, tmp_path / "set")
        assert not (tmp_path / "set").exists()


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: usage(10**6, 0, 10**6))
    archive = zipped(tmp_path / "a.zip", {"a.png": bytes(5 * 10**6)})
    assert archive.stat().st_size < 10**5
    with pytest.raises(DataError, match="full"):
        unpack(archive, tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_that_the_disk_could_hold_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(fetch, "BOMB_SIZE", 10**6)
    archive = tmp_path / f"a.{kind}"
    if kind == "zip":
        zipped(archive, {f"{k}.png": bytes(10**6) for k in range(3)})
    else:
        several = [member(f"{k}.png") for k in range(3)]
        with tarfile.open(archive, "w:gz") as packed:
            for one in several:
                one.size = 10**6
                packed.addfile(one, io.BytesIO(bytes(10**6)))
    with pytest.raises(DataError, match="200 times its own size"):
        unpack(archive, tmp_path / "set")
    assert not (tmp_path / "set").exists()
    monkeypatch.setattr(fetch, "BOMB_SIZE", 4 * 10**6)
    unpack(archive, tmp_path / "set")
    assert len(list((tmp_path / "set").iterdir())) == 3


def test_a_zip_that_lies_about_its_size_is_damaged(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.png": bytes(10**6)})
    data = archive.read_bytes()
    size = (10**6).to_bytes(4, "little")
    assert data.count(size) == 2
    archive.write_bytes(data.replace(size, (1000).to_bytes(4, "little")))
    with pytest.raises(DataError, match="damaged"):
        unpack(archive, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_disk_that_fills_up_while_unpacking_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extract", full)
    with pytest.raises(DataError, match="full"):
        unpack(zipped(tmp_path / "a.zip", {"a.png": b"x"}), tmp_path / "set")
    assert not (tmp_path / "set").exists()
