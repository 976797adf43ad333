"""The page of the docs names every column, every rule and every code that leaves."""

from __future__ import annotations

import pytest

from nerve_core.clinical.fhir import MEASURED
from nerve_core.clinical.pairs import pair_rules
from nerve_core.clinical.table import COLUMNS
from nerve_core.config import ROOT
from nerve_core.inference.prediction import NOTICE

TEXT = (ROOT / "docs" / "clinic.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "meaning"), COLUMNS.items())
def test_every_column_has_its_meaning(name: str, meaning: str) -> None:
    assert f"| `{name}` | {meaning} |" in TEXT


def test_every_rule_stands_with_its_figures_and_people() -> None:
    for rule in pair_rules():
        row = rule.cut_off
        figures = f"| {row.condition} | {row.sensitivity} % | {row.specificity} % | {rule.population} |"
        assert f"| {rule.rule} |" in TEXT and f"{figures} {row.source} |" in TEXT


def test_every_code_is_named_and_the_notice_stands() -> None:
    assert all(code[0] in TEXT for *_, code, _ in MEASURED if code is not None)
    assert NOTICE.replace(" ", "") in TEXT.replace("\n", "").replace(" ", "")
