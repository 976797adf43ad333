"""Long runs against the service: thousands of damaged files, and load without growth."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from nerve_core.inference import predictor as predictors
from nerve_core.service.app import create_app
from tests.service.fakes import FakePredictor, as_file, scan_array

pytestmark = pytest.mark.soak
SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.ASGITransport]:
    predictor = FakePredictor()
    monkeypatch.setattr(predictors, "get_predictor", lambda name=None: predictor)
    app = Starlette(routes=[Mount("/api", create_app())])
    yield httpx.ASGITransport(app=app, raise_app_exceptions=False)


def damaged(whole: list[bytes], count: int) -> Iterator[bytes]:
    """Files with bytes changed, cut out, doubled or cut off."""
    random = np.random.default_rng(1)
    for number in range(count):
        data = bytearray(whole[number % len(whole)])
        for _ in range(int(random.integers(1, 12))):
            at = int(random.integers(0, len(data))) if random.random() < 0.5 else int(random.integers(0, 600))
            at = min(at, len(data) - 1)
            match random.integers(0, 4):
                case 0:
                    data[at] = int(random.integers(0, 256))
                case 1:
                    data[at : at + 4] = random.bytes(4)
                case 2:
                    data[at:at] = data[at : at + int(random.integers(1, 64))]
                case 3:
                    del data[at : at + int(random.integers(1, 64))]
        yield bytes(data[: int(random.integers(1, len(data)))] if random.random() < 0.2 else data)


def test_thousands_of_damaged_files_are_answered_or_refused(transport: httpx.ASGITransport) -> None:
    pixels = scan_array()
    whole = [as_file(pixels, kind) for kind in ("PNG", "JPEG", "TIFF", "BMP")]
    whole += [as_file(pixels.astype(np.uint16) * 256), as_file(np.stack([pixels] * 3, axis=-1), "TIFF")]
    whole += [path.read_bytes() for path in sorted(SAMPLES.glob("*.dcm"))]

    async def run() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            statuses = []
            for data in damaged(whole, 6000):
                answer = await client.post("/api/predict", files={"file": ("a.png", data)})
                assert ("error" in answer.json()) == (answer.status_code != 200)
                statuses.append(answer.status_code)
            return statuses

    statuses = asyncio.run(run())
    assert set(statuses) <= {200, 400}
    assert statuses.count(400) > 500 and statuses.count(200) > 500


def test_load_does_not_grow_the_memory(transport: httpx.ASGITransport) -> None:
    files = [as_file(scan_array(seed=number)) for number in range(8)]

    async def burst(client: httpx.AsyncClient, count: int) -> None:
        async def send(number: int) -> None:
            file = {"file": (f"{number}.png", files[number % len(files)])}
            answer = await client.post("/api/predict", files=file)
            assert answer.status_code == 200 and answer.json()["file"] == f"{number}.png"

        for start in range(0, count, 50):
            await asyncio.gather(*(send(number) for number in range(start, start + 50)))

    async def run() -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await burst(client, 500)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            await burst(client, 3000)
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert asyncio.run(run()) < 64 * 1024, "KiB the peak has risen by"
