"""A line for every request, without what may be secret."""

from __future__ import annotations

import logging
import re

import pytest
from fastapi.testclient import TestClient

from elmokit.encode.encoder import Encoder
from elmokit.web.app import create_app
from elmokit.web.loaded import Loaded


def test_requests_are_logged_and_tokens_are_not(encoder: Encoder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="elmokit.web.access")
    token = "a-token-of-24-characters"
    app = create_app(Loaded(encoder), token=token, hosts=None)
    with TestClient(app, follow_redirects=False) as client:
        client.get("/api/model")
        client.get(f"/?token={token}")
        client.get("/api/model", headers={"Authorization": f"Bearer {token}"})
        client.get("/static/app.js", headers={"Authorization": f"Bearer {token}"})
        client.get("/nothing%0Aforged", headers={"Authorization": f"Bearer {token}"})
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    said = [re.sub(r" \d+ ms$", "", text) for _, text in lines]
    assert said == [
        "testclient GET /api/model 401", "testclient GET / 303", "testclient GET /api/model 200",
        "testclient GET /static/app.js 200", r"testclient GET /nothing\nforged 404",
    ]  # fmt: skip
    assert [level for level, _ in lines] == ["INFO", "INFO", "INFO", "DEBUG", "INFO"]
    assert token not in caplog.text
