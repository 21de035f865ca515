"""Requests made from the OpenAPI description by schemathesis: none may find a 500, or an answer of another shape.

    ELMOKIT_REQUESTS=5000 pytest tests/unit/web/test_schema.py

makes that many in all instead of a few hundred.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from elmokit.web.app import create_app
from elmokit.web.limits import Limits
from elmokit.web.loaded import Loaded

REQUESTS = int(os.environ.get("ELMOKIT_REQUESTS", "240"))
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]


@pytest.mark.slow
def test_no_request_finds_a_500(loaded: Loaded) -> None:
    app = create_app(loaded, limits=Limits(), hosts=["testserver"])
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    asked = 0
    seen: dict[int, int] = {}
    for operation in operations:
        plain = operation.method == "get" and operation.path != "/api/studies/{id}"
        each = 2 if plain else max(1, REQUESTS // sum(other.method == "post" for other in operations))
        modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]

        @settings(
            max_examples=each, database=None, deadline=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(data=_either(operation, modes))
        def ask(data: Any) -> None:
            nonlocal asked
            asked += 1
            response = data.call()
            seen[response.status_code] = seen.get(response.status_code, 0) + 1
            data.validate_response(response, checks=CHECKS)

        ask()
    print(f"{asked} requests, answers by status: {dict(sorted(seen.items()))}")
    assert asked >= 0.6 * REQUESTS
    assert seen[200] > 0 and seen[422] > 0


def _either(operation: Any, modes: list[Any]) -> Any:
    from hypothesis import strategies

    return strategies.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])


def test_the_description_knows_every_error(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    posts = [described["post"] for described in paths.values() if "post" in described]
    assert len(posts) == 9
    for described in posts:
        assert {"200", "401", "413", "422", "503"} <= set(described["responses"])
        shape = described["responses"]["422"]["content"]["application/json"]["schema"]
        assert shape == {"$ref": "#/components/schemas/ErrorAnswer"}


@pytest.mark.parametrize("name", ["EmbedRequest", "SensesRequest", "ClassifyRequest"])
def test_the_description_states_the_limits(client: TestClient, name: str) -> None:
    schema = client.get("/openapi.json").json()["components"]["schemas"][name]
    assert schema["additionalProperties"] is False
    assert any("maxItems" in field for field in schema["properties"].values())
