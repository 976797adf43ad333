"""All open scans as one table: made when asked for, without the files' names unless wanted."""

from __future__ import annotations

import csv
import io

from streamlit.testing.v1 import AppTest

from nerve_core.clinical.table import as_csv
from tests.pages.conftest import png
from tests.pages.test_diagnose import upload


def table(page: AppTest) -> list[dict[str, str]]:
    _, findings = page.session_state["batch-made"]
    return list(csv.DictReader(io.StringIO(as_csv(findings).decode("utf-8-sig"))))


def test_every_scan_has_its_row_without_its_name(diagnose: AppTest):
    diagnose.session_state["batch-take-away"] = True
    page = upload(diagnose, ("Jane-Doe.png", png()), ("notes.png", b"this is no picture"))
    assert "batch-made" not in page.session_state
    next(view for view in page.session_state["views"].values()).mm_per_px = 0.1
    page.selectbox(key="batch-nerve").set_value("median").run()
    page.selectbox(key="batch-site-median").set_value("wrist").run()
    page.button(key="batch-make").click().run()
    assert not page.exception
    good, bad = table(page)
    assert good["area (mm2)"].startswith("13.") and "above the range of 7 to 13" in good["norms"]
    assert good["scale_from"] == "ruler" and good["model"] == "research 1" and good["scan"] == "1"
    assert bad["verdict"] == "" and bad["remark"] and bad["scan"] == "2"
    assert not any("Jane" in cell for row in table(page) for cell in row.values())
    page.checkbox(key="batch-names").check().run()
    page.button(key="batch-make").click().run()
    assert table(page)[0]["file"] == "Jane-Doe.png"
