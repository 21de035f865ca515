"""`elmo serve` as a process of its own: it starts, answers, and ends in order."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from elmokit.cli import app as cli


@contextmanager
def served(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server on a free port; killed at the end if it still runs."""
    command = [sys.executable, "-m", "elmokit", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert port is not None, (line, process.stderr and process.stderr.read())
        yield process, int(port[1])
    finally:
        process.kill()
        process.communicate()


def ask(port: int, path: str, body: object = None, *, timeout: float = 60) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    method = "GET" if body is None else "POST"
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_it_starts_answers_and_ends_with_0(bilm: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "c.txt"
    corpus.write_text("The bank is wet.\nA bank.\n")
    with served("--model", str(bilm), "--corpus", str(corpus)) as (process, port):
        assert ask(port, "/health")[0] == 200
        assert ask(port, "/api/model")[1]["classifier"]["name"] == "elmo-mini-news"
        assert ask(port, "/api/neighbours", {"sentence": "a bank", "word": "bank"})[1]["found"] == 2
        slow = {"sentences": [["word"] * 1500] * 12, "encoding": "base64"}
        answers: list[tuple[int, int]] = []

        def in_flight() -> None:
            status, content = ask(port, "/api/embed", slow)
            answers.append((status, len(content["sentences"])))  # type: ignore[arg-type]

        thread = threading.Thread(target=in_flight)
        thread.start()
        time.sleep(0.15)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        thread.join(10)
        assert answers == [(200, 12)]


def test_mistakes_are_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(*options: str) -> str:
        result = CliRunner().invoke(cli.app, ["serve", *options])
        assert result.exit_code == 2
        assert [line[:7] for line in result.stderr.splitlines() if "loading" not in line] == ["error: "]
        return result.stderr

    assert "give a token" in said("--host", "0.0.0.0")
    assert "expected at least 16" in said("--token", "x")
    assert "cannot listen on 192.0.2.1" in said("--host", "192.0.2.1", "--token", "a" * 16)
    assert str(tmp_path) in said("--model", str(tmp_path), "--port", "0")
    monkeypatch.setattr("elmokit.extras.find_spec", lambda name: None if name == "uvicorn" else object())
    assert "the explorer needs uvicorn: pip install -c constraints.txt '.[web]'" in said("--model", "x")
