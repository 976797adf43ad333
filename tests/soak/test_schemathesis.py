"""Requests made from the OpenAPI description, valid and not: no 5xx, and answers as described."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from nerve_core.inference import predictor as predictors
from nerve_core.service.app import create_app
from tests.service.fakes import FakePredictor

HOW = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}
CHECKS = (not_a_server_error, response_schema_conformance)


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    predictor = FakePredictor()
    monkeypatch.setattr(predictors, "get_predictor", lambda name=None: predictor)
    yield


def call_all(examples: int) -> dict[str, int]:
    """Call every operation ``examples`` times in each mode; how often each was called."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app())
    called: dict[str, int] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:

            @settings(max_examples=examples, **HOW)
            def call(case: schemathesis.Case) -> None:
                called[case.operation.label] = called.get(case.operation.label, 0) + 1
                case.call_and_validate(checks=list(CHECKS))

            try:
                strategy = operation.as_strategy(generation_mode=mode)
                from hypothesis import given

                given(case=strategy)(call)()
            except Exception as fault:
                if type(fault).__name__ in ("Unsatisfiable", "Unsatisfied"):
                    continue  # nothing can be invalid about an operation without input
                raise
    return called


def test_every_operation_a_few_times() -> None:
    called = call_all(15)
    assert {"POST /predict", "GET /health"} <= set(called)


@pytest.mark.soak
def test_every_operation_thousands_of_times() -> None:
    assert sum(call_all(1500).values()) >= 2000
