"""A real Orthanc on free ports, and simulated scans with a predictor without a network."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import requests

from nerve_core.imaging.scan import Scan
from nerve_core.inference.prediction import Prediction
from nerve_core.pacs.settings import PacsSettings
from tests.imaging.build import dicom, region
from tests.service.fakes import FakePredictor, scan_array

PLUGINS = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
PLACE = (70, 55)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class SoftPredictor(FakePredictor):
    """The bright disc is a nerve, with a probability that falls off smoothly at its edge."""

    def predict(self, scan: Scan, click: Any = None, **more: Any) -> Prediction:
        found = super().predict(scan, click, **more)
        chances = cv2.GaussianBlur(found.probability, (0, 0), 1.5)
        return replace(found, probability=chances)


def scan_file(uid: str = "1.2.826.0.1.3680043.8.498.1", frames: int = 1, centre=PLACE, **more: Any) -> bytes:
    """A simulated ultrasound file with one bright disc, 0.1 × 0.2 mm a pixel."""
    pixels = np.stack([scan_array(centre, seed=seed) for seed in range(frames)])
    more = {
        "SOPInstanceUID": uid,
        "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.77",
        "SeriesInstanceUID": "1.2.826.0.1.3680043.8.498.78",
        "PatientID": "SIMULATED-1",
        "StudyDate": "20260312",
    } | more
    if frames > 1:
        more |= {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.3.1", "FrameTime": "40"}
        more["FrameIncrementPointer"] = 0x00181063
    regions = [region((0, 0, *pixels.shape[1:]), 0.01, 0.02)]
    return dicom(pixels if frames > 1 else pixels[0], SequenceOfUltrasoundRegions=regions, **more)


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacsSettings]:
    """Settings of an Orthanc that runs for the tests alone."""
    program = shutil.which("Orthanc")
    if program is None or not PLUGINS.exists():
        pytest.skip("Orthanc is missing: apt-get install orthanc orthanc-dicomweb")
    folder = tmp_path_factory.mktemp("orthanc")
    http, port = free_port(), free_port()
    config = {
        "Name": "tests",
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [str(PLUGINS)],
        "HttpPort": http,
        "DicomPort": port,
        "DicomAet": "ORTHANC",
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowGet": True,
        "DicomModalities": {"us": ["NERVECORE", "127.0.0.1", free_port()]},
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomAlwaysAllowFind": False,
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": False,
        "ConcurrentJobs": 1,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder
        )
    try:
        address = f"http://127.0.0.1:{http}"
        for _ in range(200):
            try:
                if requests.get(f"{address}/system", timeout=1).ok:
                    break
            except requests.RequestException:
                pass
            if process.poll() is not None:
                pytest.fail("Orthanc did not start:\n" + (folder / "log").read_text()[-2000:])
            time.sleep(0.1)
        yield PacsSettings(port=port, url=f"{address}/dicom-web", timeout=20.0)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
