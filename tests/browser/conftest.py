"""The real dashboard with the shipped weights, and real Chromium to drive it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nerve_core.config import ROOT, settings

STARTUP_S = 180  # a busy machine may take this long to load the network
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(STARTUP_S + 120))


@pytest.fixture(scope="module")  # its event loop must end before other tests start theirs
def browser() -> Iterator[Browser]:
    """Chromium of the system; no copy is downloaded."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sentence = "Chromium is not installed, so the pages cannot be tested: install the package chromium."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running dashboard, as ``make app`` starts it, with records of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    own = os.environ | {"NERVE_RECORDS": str(tmp_path_factory.mktemp("served") / "records")}
    server = subprocess.Popen(
        command, cwd=ROOT, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    found = f"http://127.0.0.1:{port}"
    try:
        _wait(server, f"{found}/api/health")  # answers when the model is loaded
        yield found
    finally:
        server.terminate()
        server.wait(20)


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + STARTUP_S
    while time.monotonic() < end:
        assert server.poll() is None, "the dashboard ended while starting"
        try:
            with urllib.request.urlopen(url, timeout=STARTUP_S):
                return
        except urllib.error.HTTPError as error:
            pytest.fail(f"the dashboard started without a model: {error.read().decode()}")
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the dashboard did not answer within {STARTUP_S} s")


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The Diagnose page in a fresh browser profile that may talk to the dashboard alone."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    strangers: list[str] = []

    def guard(route) -> None:
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    context.route("**/*", guard)
    shown = context.new_page()
    shown.goto(f"{address}/diagnose")
    expect(shown.get_by_role("heading", name="Diagnose")).to_be_visible()
    yield shown
    context.close()
    assert not strangers, f"the dashboard asked other machines for {strangers}"


@pytest.fixture(scope="session")
def sample() -> bytes:
    """PNG of the first shipped simulated sample."""
    from nerve_core.data.samples import list_samples

    found = next(each for each in list_samples(settings().samples) if each.path.suffix == ".png")
    return found.path.read_bytes()
