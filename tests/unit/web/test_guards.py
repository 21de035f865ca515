"""Limits, back-pressure, tokens, headers, hostile text: what keeps the server up and its users safe."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from elmokit.encode.encoder import Encoder
from elmokit.errors import ConfigError
from elmokit.web.access import Access
from elmokit.web.app import create_app
from elmokit.web.errors import ApiError
from elmokit.web.intake import Budget, Intake
from elmokit.web.limits import Limits
from elmokit.web.loaded import Loaded
from elmokit.web.serving import checked_token, listening
from elmokit.web.worker import Worker
from helpers.web_models import HOST, study

TOKEN = "a-token-of-24-characters"
JSON = {"Content-Type": "application/json"}


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()["error"]
    assert set(found) == {"code", "message", "hint", "field"}
    return found


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"sentences": []}', "sentences"), ('{"sentences": [["a", " "]]}', "sentences.0.1"),
        ('{"sentences": ["a\\u0000"]}', "sentences.0"), ('{"sentences": ["\\ud800"]}', "sentences.0"),
        ('{"sentences": [["a", 1]]}', "sentences.0.1"),
        ('{"sentences": [NaN]}', "sentences.0"), ('{"sentences": "a"}', "sentences"), ('{}', "sentences"),
        ('{"sentences": ["a"], "layers": 99}', "layers"), ('{"sentences": ["a"], "layers": NaN}', "layers"),
        ('{"sentences": ["a"], "layers": 1e400}', "layers"), ('{"sentences": ["a"], "layers": "bottom"}', "layers"),
        ('{"sentences": ["a"], "x\\ud800": 1}', None), ('{"sentences": ["a"], "level": null}', "level"),
        ('[' * 5000, None), ('{"a": ' + "9" * 5000 + "}", None), ('{"sentences": ', None), ("", None), ("null", None),
    ],
)  # fmt: skip
def test_wrong_values_are_told_apart(bare: TestClient, body: str, field: str | None) -> None:
    answer = bare.post("/api/embed", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    found = problem(answer, answer.status_code)
    if field is not None:
        assert str(found["field"]).startswith(field)
        assert found["message"].startswith(field)


def test_bytes_that_are_no_utf8(bare: TestClient) -> None:
    assert bare.post("/api/embed", content=b'{"sentences": ["\xff\xfe"]}', headers=JSON).status_code in (400, 422)


def test_only_json_is_read(bare: TestClient) -> None:
    """A form or text/plain may come from any page without the browser asking: it is no request."""
    body = json.dumps({"sentences": ["a"]})
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        found = problem(bare.post("/api/embed", content=body, headers={"Content-Type": kind}), 422)
        assert (found["message"], found["hint"]) == (
            f"The body was sent as {kind}; expected JSON.", "Send the header 'Content-Type: application/json'."
        )  # fmt: skip
    assert (
        problem(bare.post("/api/embed", content=body), 422)["message"]
        == "The body was sent without Content-Type; expected JSON."
    )


def test_unknown_keys_are_named(bare: TestClient) -> None:
    found = problem(bare.post("/api/embed", json={"sentences": ["a"], "layer": 1}), 422)
    assert found["message"] == "layer: the key 'layer' is unknown. Did you mean 'layers'?"
    assert (found["field"], found["hint"].split(", ")[-1]) == ("layer", "sentences.")
    body = {"word": "a", "uses": [{"sentence": "a", "meaning": "x"}]}
    found = problem(bare.post("/api/senses", json=body), 422)
    assert found["message"] == "uses.0.meaning: the key 'meaning' is unknown in uses.0."
    assert found["hint"] == "Known: place, sense, sentence."


@pytest.mark.parametrize(
    ("limits", "body", "status", "said"),
    [
        (Limits(body=200), {"sentences": ["a" * 300]}, 413, "larger than 200 bytes"),
        (Limits(words=5), {"sentences": ["a b c", "d e f"]}, 413, "6 words; a request may hold 5"),
        (Limits(list_numbers=100), {"sentences": ["a b c d e f g h"], "layers": "all"}, 413, "expected at most 100"),
        (Limits(numbers=100), {"sentences": ["a b c d e f g h"], "encoding": "base64"}, 413, "expected at most 100"),
        (Limits(), {"sentences": ["a"] * 257}, 422, "at most 256"),
        (Limits(), {"sentences": ["a" * 10_001]}, 422, "at most 10000"),
        (Limits(), {"sentences": [["a" * 501]]}, 422, "at most 500"),
    ],
)  # fmt: skip
def test_limits(encoder: Encoder, limits: Limits, body: Any, status: int, said: str) -> None:
    with TestClient(create_app(Loaded(encoder), limits=limits), base_url=HOST) as client:
        found = problem(client.post("/api/embed", json=body), status)
        assert said in found["message"]
        assert client.get("/health").json()["status"] == "ok"


def test_a_body_without_a_length_is_cut_off_while_it_comes(encoder: Encoder) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b" " * 1000

    with TestClient(create_app(Loaded(encoder), limits=Limits(body=2000)), base_url=HOST) as client:
        problem(client.post("/api/embed", content=endless(), headers=JSON), 413)


def run_intake(
    limits: Limits, messages: list[Any], *, inside: int = 0, path: str = "/api/embed"
) -> tuple[int, dict[str, str], int]:
    """Status and headers of one request to `Intake`, whose body comes as `messages`, and how many were read."""
    sent: list[Any] = []
    read = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        nonlocal read
        read += 1
        message = messages.pop(0)
        if message == "never":
            await asyncio.sleep(60)
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        intake = Intake(app, limits=limits, budget=Budget(10))
        intake.inside = inside
        await intake({"type": "http", "path": path, "method": "POST", "headers": []}, receive, send)
        assert intake.inside == inside

    asyncio.run(ask())
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]} if sent else {}
    return (sent[0]["status"] if sent else 0), headers, read


def part(size: int, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


def test_the_intake() -> None:
    assert run_intake(Limits(), [part(10, more=True), part(10, more=False)])[0] == 200
    status, headers, read = run_intake(Limits(body=15), [part(10, more=True)] * 9)
    assert (status, headers["connection"], read) == (413, "close", 2)
    assert run_intake(Limits(body_seconds=0.05), [part(10, more=True), "never"])[0] == 408
    status, headers, read = run_intake(Limits(requests=3), [part(1, more=False)], inside=3)
    assert (status, headers["retry-after"], read) == (503, "1", 0)
    assert run_intake(Limits(), [{"type": "http.disconnect"}])[0] == 0
    assert run_intake(Limits(uploads=0), [part(1, more=False)], path="/api/corpora")[0] == 503
    assert run_intake(Limits(body=5), [part(9, more=False)], path="/api/studies")[0] == 200


def test_answers_under_way_share_a_budget() -> None:
    budget = Budget(100)
    first: dict[Any, Any] = {}
    second: dict[Any, Any] = {}
    budget.claim(first, 150)  # alone
    with pytest.raises(ApiError, match="memory limit for answers"):
        budget.claim(second, 1)
    budget.release(first)
    budget.claim(second, 60)
    budget.release(second)
    budget.release(second)
    assert budget.used == 0


def test_a_full_worker_says_come_back() -> None:
    gate = threading.Event()

    async def ask() -> None:
        worker = Worker(waiting=2, seconds=5)
        first = asyncio.create_task(worker.run(gate.wait))
        await asyncio.sleep(0.1)  # it has begun
        others = [asyncio.create_task(worker.run(lambda: 7)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ApiError, match="2 requests are waiting") as found:
            await worker.run(lambda: 8)
        assert found.value.status == 503
        assert int(found.value.headers["Retry-After"]) >= 1
        assert worker.seconds_to_wait() == 1
        gate.set()
        assert await asyncio.gather(first, *others) == [True, 7, 7]
        worker.close()

    asyncio.run(ask())


def test_when_to_come_back_follows_the_queues_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    async def ask() -> None:
        worker = Worker(waiting=9, seconds=5)
        blocked = asyncio.create_task(worker.run(gate.wait))
        await asyncio.sleep(0.1)
        others = [asyncio.create_task(worker.run(lambda: 1)) for _ in range(8)]
        await asyncio.sleep(0)
        for pace, expected in ((0.01, 1), (0.5, (4, 5)), (2.0, (16, 18)), (90.0, 60)):
            monkeypatch.setattr(worker, "_pace", pace)
            found = worker.seconds_to_wait()
            assert found == expected if isinstance(expected, int) else expected[0] <= found <= expected[1]
        gate.set()
        await asyncio.gather(blocked, *others)
        assert worker.seconds_to_wait() < 60  # quick jobs have brought it down
        worker.close()

    asyncio.run(ask())


def test_jobs_of_one_kind_are_joined_and_one_fault_is_one_jobs_own() -> None:
    gate = threading.Event()
    calls: list[list[int]] = []

    def double(items: Any) -> list[int]:
        calls.append(list(items))
        if 13 in items:
            raise ValueError("thirteen")
        return [2 * item for item in items]

    async def ask() -> None:
        worker = Worker(waiting=20, seconds=5, together=6)
        blocked = asyncio.create_task(worker.run(gate.wait))
        await asyncio.sleep(0.1)
        jobs = [worker.joined("a", items, double, cost=len(items)) for items in ([1, 2], [3], [], [4, 5, 6], [7])]
        jobs += [worker.joined("b", items, double, cost=1) for items in ([13], [8])]
        waiting = asyncio.gather(*jobs, return_exceptions=True)
        await asyncio.sleep(0.1)
        gate.set()
        *done, fault, fine = await waiting
        assert done == [[2, 4], [6], [], [8, 10, 12], [14]]
        assert isinstance(fault, ValueError)
        assert fine == [16]
        assert calls == [[1, 2, 3, 4, 5, 6], [7], [13, 8], [13], [8]]
        await blocked
        worker.close()

    asyncio.run(ask())


def test_a_job_that_takes_too_long_is_given_up_and_the_next_goes_on() -> None:
    gate = threading.Event()

    async def ask() -> None:
        worker = Worker(waiting=5, seconds=0.2)
        slow = asyncio.create_task(worker.run(gate.wait))
        await asyncio.sleep(0)
        never: list[int] = []
        late = asyncio.create_task(worker.run(lambda: never.append(1)))
        for task in (slow, late):
            with pytest.raises(ApiError, match="longer than"):
                await task
        gate.set()
        assert await worker.run(lambda: 1) == 1
        assert never == []  # nobody waited for it any more
        worker.close()

    asyncio.run(ask())


def test_a_server_that_is_full_answers_503(encoder: Encoder) -> None:
    with TestClient(create_app(Loaded(encoder), limits=Limits(waiting=0)), base_url=HOST) as client:
        answer = client.post("/api/embed", json={"sentences": ["a"]})
        assert problem(answer, 503)["code"] == "busy"
        assert int(answer.headers["retry-after"]) >= 1


def test_security_headers_stand_on_every_answer(client: TestClient) -> None:
    for path in ("/", "/docs", "/health", "/api/model", "/nothing", "/static/index.html", "/static/../app.py"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert "server" not in headers
    assert client.get("/api/model").headers["cache-control"] == "no-store"
    problem(client.get("/nothing"), 404)
    problem(client.get("/static/%2e%2e/app.py"), 404)
    problem(client.get("/api/embed"), 405)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", ""])
def test_another_host_name_is_refused(client: TestClient, host: str) -> None:
    problem(client.get("/api/model", headers={"Host": host}), 403)
    problem(client.get("/health", headers={"Host": host}), 403)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_names_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_other_sites_pages_are_refused(client: TestClient) -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9999"):
        problem(client.post("/api/embed", json={"sentences": ["a"]}, headers={"Origin": origin}), 403)
    assert client.post("/api/embed", json={"sentences": ["a"]}, headers={"Origin": HOST}).status_code == 200


def test_a_token_is_asked_for(encoder: Encoder) -> None:
    app = create_app(Loaded(encoder), token=TOKEN, hosts=None)
    with TestClient(app, base_url="http://box.example", follow_redirects=False) as client:
        assert client.get("/health").status_code == 200
        for path in ("/", "/api/model", "/openapi.json", "/docs", "/static/index.html"):
            answer = client.get(path)
            assert TOKEN not in json.dumps(problem(answer, 401))
            assert answer.headers["www-authenticate"] == "Bearer"
        for wrong in ("Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", "Bearer \u00e9"):
            problem(client.get("/api/model", headers={b"Authorization": wrong.encode("latin-1")}), 401)
        assert client.get("/api/model", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        problem(client.get("/?token=wrong"), 401)
        problem(client.get(f"/api/model?token={TOKEN}"), 401)  # addresses end up in logs: only the page takes it
        entry = client.get(f"/?token={TOKEN}")
        assert (entry.status_code, entry.headers["location"]) == (303, "/")
        for flag in ("HttpOnly", "SameSite=Strict", "Path=/"):
            assert flag in entry.headers["set-cookie"]
        assert client.get("/api/model").status_code == 200  # by the cookie


def test_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch, encoder: Encoder) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("hmac.compare_digest", lambda *pair: seen.append(pair) or False)
    access = Access(lambda *_: None, token=TOKEN, hosts=None)  # type: ignore[arg-type,return-value]
    assert access._right("x") is False
    assert seen == [(b"x", TOKEN.encode())]


def test_an_open_address_needs_a_good_token() -> None:
    assert checked_token(None, host="127.0.0.1") is None
    assert checked_token(None, host="::1") is None
    assert checked_token(TOKEN, host="0.0.0.0") == TOKEN
    with pytest.raises(ConfigError, match=r"--host 0\.0\.0\.0 can be reached from outside: give a token, as --token"):
        checked_token(None, host="0.0.0.0")
    for bad in ("short", "with blanks in the middle", "käse-käse-käse-käse"):
        with pytest.raises(ConfigError, match="the token has"):
            checked_token(bad, host="127.0.0.1")


def test_an_address_in_use_is_told() -> None:
    with listening("127.0.0.1", 0) as taken, pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1 port"):
        listening("127.0.0.1", taken.getsockname()[1])


SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def test_markup_comes_back_as_the_text_it_was(client: TestClient, encoder: Encoder) -> None:
    """Everything is JSON of the declared type: no text of a user is ever part of a page."""
    words = encoder.words(SCRIPT)
    corpus = client.post("/api/corpora", json={"name": SCRIPT, "text": f"bank {SCRIPT}"}).json()
    assert corpus["name"] == SCRIPT
    asked: list[tuple[str, dict[str, Any]]] = [
        ("embed", {"sentences": [SCRIPT, [SCRIPT]]}), ("score", {"sentences": [SCRIPT, [SCRIPT]]}),
        ("substitutes", {"sentence": f"{SCRIPT} ___"}), ("classify", {"texts": [SCRIPT], "explain": "gradients"}),
        ("layers", {"sentence": SCRIPT}), ("layers", {"sentence": [SCRIPT]}),
        ("senses", {"word": SCRIPT, "uses": [{"sentence": [SCRIPT, "is"], "sense": SCRIPT}]}),
        ("neighbours", {"sentence": ["bank", SCRIPT], "place": 0, "corpus": corpus["id"]}),
        ("studies", {**study(), "title": SCRIPT}), ("embed", {"sentences": ["a"], "layers": SCRIPT}),
        ("senses", {"word": SCRIPT, "corpus": SCRIPT}), ("classify", {"texts": ["a"], "label": SCRIPT}),
        ("embed", {"sentences": ["a"], SCRIPT: SCRIPT}),
    ]  # fmt: skip
    for path, body in asked:
        answer = client.post(f"/api/{path}", json=body)
        assert answer.status_code < 500, (path, answer.text)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        answer.json()
    found = client.post("/api/embed", json={"sentences": [SCRIPT, [SCRIPT]]}).json()["sentences"]
    assert [each["words"] for each in found] == [words, [SCRIPT]]
    labels = client.post("/api/classify", json={"texts": [SCRIPT]}).json()["texts"][0]["labels"]
    assert "<b>odd</b>" in [each["label"] for each in labels]
    assert SCRIPT not in client.get(f"/docs?x={SCRIPT}").text
    problem(client.get(f"/api/studies/{SCRIPT[:8]}"), 404)
