"""Every notebook runs from a fresh start, and none carries outputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nerve_core.config import ROOT

BOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def cells(book: Path, kind: str) -> list[dict]:
    return [
        cell for cell in json.loads(book.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind
    ]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_it_runs(book: Path, tmp_path: Path) -> None:
    script = tmp_path / "notebook.py"
    code = "\n\n".join("".join(cell["source"]) for cell in cells(book, "code"))
    # Worker processes import the main module again, which must not run the notebook a second time.
    script.write_text(
        "from pathlib import Path\n"
        "if __name__ == '__main__':\n"
        "    exec(compile(Path(__file__).with_suffix('.txt').read_text(), 'notebook', 'exec'))\n"
    )
    script.with_suffix(".txt").write_text(code)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=book.parent,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_it_carries_no_output_and_says_what_it_is_not(book: Path) -> None:
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells(book, "code"))
    words = " ".join("".join(cell["source"]) for cell in cells(book, "markdown"))
    assert "esearch use only" in words
