"""The REST service, called as from outside through its mount at /api."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import struct
import tempfile
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Mount

from nerve_core.errors import CheckpointError
from nerve_core.inference import predictor as predictors
from nerve_core.service import app as service
from nerve_core.service.schemas import HealthAnswer, PredictionAnswer
from tests.service.fakes import FakePredictor, as_file, scan_array

GOOD = as_file(scan_array())


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePredictor]:
    predictor = FakePredictor()
    monkeypatch.setattr(predictors, "get_predictor", lambda name=None: predictor)
    yield predictor


def talk(conversation: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """Run a conversation with the service mounted as in the dashboard."""

    async def run() -> Any:
        app = Starlette(routes=[Mount("/api", service.create_app())])
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await conversation(client)

    return asyncio.run(run())


def post(data: bytes | None, name: str = "a.png", **fields: str) -> httpx.Response:
    files = None if data is None else {"file": (name, data, "application/octet-stream")}
    return talk(lambda client: client.post("/api/predict", files=files, data=fields))


def sentence(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert isinstance(error, str) and error.endswith(".") and len(error) < 200
    return error


def test_a_scan_is_answered_by_the_contract(fake: FakePredictor) -> None:
    answer = post(GOOD, "volunteer.png", point="90,60")
    assert answer.status_code == 200
    body = PredictionAnswer.model_validate(answer.json(), strict=False)
    assert body.file == "volunteer.png"
    assert body.verdict == "affected" and body.p_affected == 0.9 and body.model == "fake 1" and body.ms > 0
    assert body.nerves[0].centroid == pytest.approx((90, 60), abs=1) and body.nerves[0].area_mm2 is None
    mask = np.asarray(Image.open(io.BytesIO(base64.b64decode(body.mask_png))))
    assert mask.shape == (128, 192) and set(np.unique(mask)) == {0, 255} and mask[60, 90] == 255
    assert fake.clicks == [(90.0, 60.0)]


def test_no_nerve_is_an_answer_without_probability(fake: FakePredictor) -> None:
    empty = np.random.default_rng(0).integers(20, 120, (128, 192)).astype(np.uint8)
    body = post(as_file(empty)).json()
    assert (body["verdict"], body["p_affected"], body["nerves"]) == ("no nerve found", None, [])


def test_frames_are_chosen(fake: FakePredictor) -> None:
    second = Image.fromarray(scan_array((40, 40)))
    cine = as_file(scan_array(), "TIFF", save_all=True, append_images=[second])
    body = post(cine, "cine.tif", frame="1").json()
    assert body["nerves"][0]["centroid"] == pytest.approx([40, 40], abs=1)
    assert "no frame 2" in sentence(post(cine, "cine.tif", frame="2"))


def test_only_the_base_name_of_a_path_is_used(fake: FakePredictor) -> None:
    assert post(GOOD, "../../etc/C:\\ward\\scan.png").json()["file"] == "scan.png"


def _bomb() -> bytes:
    """A PNG of a hundred bytes that says it is 50,000 px a side."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


def _photograph() -> bytes:
    random = np.random.default_rng(0)
    picture = np.full((200, 300, 3), (90, 140, 220), np.uint8)
    for _ in range(150):
        centre, colour = random.integers(0, 300, 2).tolist(), random.integers(0, 255, 3).tolist()
        cv2.circle(picture, centre, int(random.integers(4, 25)), colour, -1)
    return as_file(picture, "JPEG")


BAD = {
    "empty": b"",
    "truncated": GOOD[: len(GOOD) // 2],
    "text": b"not an image at all",
    "zeros": b"\0" * 4096,
    "blank": as_file(np.full((128, 128), 7, np.uint8)),
    "blank 16 bit": as_file(np.full((128, 128), 3000, np.uint16)),
    "not a number": as_file(np.full((128, 128), np.nan, np.float32), "TIFF"),
    "one pixel": as_file(np.zeros((1, 1), np.uint8)),
    "photograph": _photograph(),
    "dicom without content": b"\0" * 128 + b"DICM",
    "dicom with nonsense": b"\0" * 128 + b"DICM" + bytes(range(256)) * 8,
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_in_one_sentence(fake: FakePredictor, data: bytes) -> None:
    answer = post(data, "text.png")
    assert answer.status_code == 400
    sentence(answer)
    assert fake.clicks == []


def test_a_decompression_bomb_is_refused(fake: FakePredictor) -> None:
    assert "million pixels" in sentence(post(_bomb()))


def test_a_refused_picture_is_not_assessable(fake: FakePredictor) -> None:
    assert post(BAD["photograph"]).json()["verdict"] == "not assessable"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"point": "1"}, "x,y"),
        ({"point": "nan,1"}, "x,y"),
        ({"point": "500,500"}, "outside"),
        ({"frame": "-1"}, "whole number"),
        ({"frame": "1.5"}, "whole number"),
        ({"frame": "9" * 40}, "whole number"),
    ],
)
def test_a_bad_field_is_refused(fake: FakePredictor, fields: dict[str, str], word: str) -> None:
    answer = post(GOOD, **fields)
    assert answer.status_code == 422
    assert word in sentence(answer)


def test_form_without_a_usable_file_is_refused(fake: FakePredictor) -> None:
    def send(**request: Any) -> httpx.Response:
        return talk(lambda client: client.post("/api/predict", **request))

    assert send(files={"scan": ("a.png", GOOD)}).status_code == 422
    assert send(files={"file": (None, "text")}).status_code == 422
    assert send(files=[("file", ("a.png", GOOD)), ("file", ("b.png", GOOD))]).status_code == 422
    assert send(files={"file": ("a.png", GOOD), "point": ("p.txt", b"1,2")}).status_code == 422
    assert send(content=GOOD).status_code == 400
    assert send(json={"file": "a.png"}).status_code == 400
    assert send().status_code == 400
    unfinished = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + GOOD
    form = {"content-type": "multipart/form-data; boundary=x"}
    assert send(content=unfinished, headers=form).status_code in (400, 422)
    assert send(content=unfinished, headers={"content-type": "multipart/form-data"}).status_code == 400


def test_a_large_upload_is_refused_without_being_read(
    fake: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NERVE_MAX_UPLOAD_MB", "1")
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        for _ in range(1000):
            sent += 2**16
            yield b"\0" * 2**16

    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        # The test transport hands over chunk by chunk, as a server does.
        headers = {"content-type": "multipart/form-data; boundary=x"}
        return await client.post("/api/predict", content=endless(), headers=headers)

    answer = talk(conversation)
    assert answer.status_code == 413
    assert "1 MB" in sentence(answer)
    assert sent < 2 * 2**20


def test_an_announced_large_upload_is_refused_at_once(
    fake: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NERVE_MAX_UPLOAD_MB", "1")
    assert post(b"\0" * (2**20 + 1)).status_code == 413
    assert post(b"\0" * 2**22).status_code == 413


def test_uploads_never_touch_a_temporary_folder(fake: FakePredictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a scan was written to a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", forbidden)
    noise = np.random.default_rng(0).integers(0, 200, (1500, 1500)).astype(np.uint8)
    assert post(as_file(noise)).status_code == 200


def test_unknown_addresses_and_methods_answer_with_a_sentence(fake: FakePredictor) -> None:
    lost = talk(lambda client: client.get("/api/nothing"))
    wrong = talk(lambda client: client.get("/api/predict"))
    assert (lost.status_code, wrong.status_code) == (404, 405)
    assert "/api/docs" in sentence(lost) and "/api/docs" in sentence(wrong)


def test_health_names_the_model(fake: FakePredictor) -> None:
    body = HealthAnswer.model_validate(talk(lambda client: client.get("/api/health")).json())
    assert (body.status, body.model, body.device, body.backend) == ("ok", "fake 1", "cpu", "none")
    assert "Research use only" in body.notice


def test_missing_weights_are_the_services_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str | None = None) -> None:
        raise CheckpointError("There are no weights here.")

    monkeypatch.setattr(predictors, "get_predictor", missing)
    assert post(GOOD).status_code == 503
    health = talk(lambda client: client.get("/api/health"))
    assert health.status_code == 503 and sentence(health) == "There are no weights here."


def test_a_defect_is_logged_without_its_message(
    fake: FakePredictor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    patient = "Jane Doe"

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(patient)

    monkeypatch.setattr(fake, "predict", fail)
    answer = post(GOOD, "Jane Doe.png")
    assert answer.status_code == 500
    sentence(answer)
    assert "ZeroDivisionError" in caplog.text and "Jane" not in caplog.text + answer.text


def test_description_works_under_the_mount_and_loads_nothing_from_elsewhere(fake: FakePredictor) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        described = (await client.get("/api/openapi.json")).json()
        assert described["servers"] == [{"url": "/api"}]
        assert {"/predict", "/health"} == set(described["paths"])
        form = described["paths"]["/predict"]["post"]["requestBody"]["content"]["multipart/form-data"]
        assert set(form["schema"]["properties"]) == {"file", "point", "frame"}
        page = (await client.get("/api/docs")).text
        assert "/api/openapi.json" in page and "https://" not in page
        script = page.split('<script src="')[1].split('"')[0]
        assert (await client.get(script)).status_code == 200

    talk(conversation)


def test_usable_uploads_are_kept_where_a_folder_is_set(
    fake: FakePredictor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert post(GOOD).status_code == 200
    monkeypatch.setenv("NERVE_UPLOAD_DIR", str(tmp_path / "kept"))
    assert post(b"not an image").status_code == 400
    assert not (tmp_path / "kept").exists()
    assert post(GOOD, "Jane Doe.jpg").status_code == 200
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.read_bytes() == GOOD and kept.suffix == ".png" and "Jane" not in kept.name


def test_a_folder_that_cannot_be_written_is_a_507(
    fake: FakePredictor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NERVE_UPLOAD_DIR", str(tmp_path / "file"))
    answer = post(GOOD)
    assert answer.status_code == 507
    sentence(answer)


def test_concurrent_uploads_get_their_own_answers(
    fake: FakePredictor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NERVE_UPLOAD_DIR", str(tmp_path))
    places = [(30 + 6 * number, 30 + 3 * number) for number in range(20)]
    threads: set[int] = set()
    predict = fake.predict

    def note(*args: Any, **more: Any) -> Any:
        threads.add(threading.get_ident())
        return predict(*args, **more)

    monkeypatch.setattr(fake, "predict", note)

    async def conversation(client: httpx.AsyncClient) -> list[httpx.Response]:
        async def send(number: int) -> httpx.Response:
            file = (f"{number}.png", as_file(scan_array(places[number])), "image/png")
            return await client.post("/api/predict", files={"file": file})

        return await asyncio.gather(*(send(number) for number in range(len(places))))

    for number, answer in enumerate(talk(conversation)):
        body = answer.json()
        assert body["file"] == f"{number}.png"
        assert body["nerves"][0]["centroid"] == pytest.approx(places[number], abs=1)
    assert len(os.listdir(tmp_path)) == len(places)
    assert threading.get_ident() not in threads


@profile(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=600)
    | st.builds(lambda cut, tail: GOOD[:cut] + tail, st.integers(0, 2000), st.binary(max_size=50)),
    name=st.text(max_size=40),
    fields=st.dictionaries(st.sampled_from(["point", "frame", "other"]), st.text(max_size=20)),
)
def test_any_upload_is_answered_with_a_sentence(
    fake: FakePredictor, body: bytes, name: str, fields: dict[str, str]
) -> None:
    answer = post(body, name, **fields)
    assert answer.status_code in (400, 422)
    sentence(answer)


@profile(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=400)
    | st.text("-x\r\n:;=\"'abfilenom", max_size=200).map(lambda text: ("--x\r\n" + text).encode()),
    kind=st.sampled_from(
        ["multipart/form-data; boundary=x", "multipart/form-data; boundary=", "text/plain", ""]
    ),
)
def test_any_body_is_answered_with_a_sentence(fake: FakePredictor, body: bytes, kind: str) -> None:
    request = {"content": body, "headers": {"content-type": kind}}
    answer = talk(lambda client: client.post("/api/predict", **request))
    assert answer.status_code in (400, 422)
    sentence(answer)
