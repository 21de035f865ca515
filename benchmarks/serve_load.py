"""Load on `elmo serve`: words a second through the API against the Encoder's own, errors, latency, memory.

    python benchmarks/serve_load.py --model MODEL [--connections 32] [--seconds 60] [--sentences 32] [--layers top]

First the Encoder alone, warm, in a process of its own, on sentences of the Brown corpus ($ELMOKIT_DATA) in requests as
large as the server gets; then the server with so many connections, each of which sends its next request when it has its
answer (base64) and waits as long as a 503 says. The clients are a process of their own on the same machine, and do not
decode what they get but for the first answer, which must be the Encoder's. --one-by-one has the Encoder encode each
request by itself: what a caller without the server's joining of requests would get.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

ALONE = """
import json, sys, time
from elmokit import Encoder
model, layers, seconds, one_by_one, requests = json.load(sys.stdin)
encoder = Encoder.from_pretrained(model)
parts = requests if one_by_one else [[words for request in requests for words in request]]
words = sum(len(words) for part in parts for words in part)
for part in parts:
    encoder.encode(part, layers=layers, is_split_into_words=True)
rounds, start = 0, time.perf_counter()
while rounds == 0 or time.perf_counter() - start < seconds:
    for part in parts:
        encoder.encode(part, layers=layers, is_split_into_words=True)
    rounds += 1
pace = rounds * words / (time.perf_counter() - start)
first = encoder.encode(requests[0], layers=layers, is_split_into_words=True)[0]
json.dump([pace, first.tolist()], sys.stdout)
"""


def brown(count: int) -> list[list[str]]:
    """Sentences of the Brown corpus, of at most 100 words."""
    data = os.environ.get("ELMOKIT_DATA")
    if not data:
        sys.exit("set ELMOKIT_DATA to the folder of the data sets: the sentences come from brown/brown.txt.gz")
    with gzip.open(Path(data) / "brown" / "brown.txt.gz", "rt", encoding="utf-8") as file:
        found = [words for words in (line.split() for line in file) if 0 < len(words) <= 100]
    return found[:count]


class Load:
    """Connections that ask without a pause."""

    def __init__(self, port: int, bodies: list[bytes], words: list[int]) -> None:
        self.port, self.bodies, self.words = port, bodies, words
        self.statuses: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.done = 0
        self.received = 0
        self.end = 0.0
        self._lock = threading.Lock()

    def run(self, connections: int, seconds: float) -> float:
        """Words a second of whole answers."""
        start = time.perf_counter()
        self.end = start + seconds
        threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.done / (time.perf_counter() - start)

    def _ask(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        while (sent := time.perf_counter()) < self.end:
            number = (number + 1) % len(self.bodies)
            try:
                connection.request("POST", "/api/embed", self.bodies[number], {"Content-Type": "application/json"})
                answer = connection.getresponse()
                size, status, pause = len(answer.read()), str(answer.status), answer.headers.get("Retry-After")
            except (OSError, http.client.HTTPException) as error:
                size, status, pause = 0, type(error).__name__, "1"
                connection.close()
            with self._lock:
                self.statuses[status] += 1
                self.latencies.append(time.perf_counter() - sent)
                self.received += size
                self.done += self.words[number] if status == "200" else 0
            if pause is not None:
                time.sleep(float(pause))


def watched(process: psutil.Process, readings: list[int], stop: threading.Event) -> None:
    """Resident bytes, twice a second."""
    while not stop.wait(0.5):
        readings.append(process.memory_info().rss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--sentences", type=int, default=32, help="a request")
    parser.add_argument("--requests", type=int, default=64, help="different ones, sent in turn")
    parser.add_argument("--layers", default="top", choices=["top", "all", "average", "mix"])
    parser.add_argument("--one-by-one", action="store_true")
    parser.add_argument("--json", type=Path, help="figures to this file, too")
    given = parser.parse_args()

    sentences = brown(given.sentences * given.requests)
    requests = [sentences[start : start + given.sentences] for start in range(0, len(sentences), given.sentences)]
    words = [sum(map(len, request)) for request in requests]
    asked = json.dumps([given.model, given.layers, min(given.seconds, 20), given.one_by_one, requests])
    done = subprocess.run([sys.executable, "-c", ALONE], input=asked, capture_output=True, text=True, check=True)
    alone, first = json.loads(done.stdout)

    command = [sys.executable, "-m", "elmokit", "serve", "--port", "0", "--model", given.model]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r":(\d+)/", server.stdout.readline())  # type: ignore[union-attr]
        if found is None:
            sys.exit("the server did not start")
        bodies = [
            json.dumps({"sentences": request, "layers": given.layers, "encoding": "base64"}).encode()
            for request in requests
        ]
        load = Load(int(found[1]), bodies, words)
        check(load, first)
        Load(load.port, bodies, words).run(given.connections, min(5.0, given.seconds / 4))  # warm
        process = psutil.Process(server.pid)
        readings, stop = [process.memory_info().rss], threading.Event()
        watcher = threading.Thread(target=watched, args=(process, readings, stop))
        watcher.start()
        used = process.cpu_times()
        pace = load.run(given.connections, given.seconds)
        stop.set()
        watcher.join()
        spent = process.cpu_times()
    finally:
        server.terminate()
        server.wait(60)
    report(given, alone, pace, load, readings, server.returncode)
    print(f"server CPU {spent.user + spent.system - used.user - used.system:.1f} s")
    if given.json:
        row = {"alone": alone, "api": pace, "statuses": load.statuses, "rss": readings, "latencies": load.latencies}
        given.json.write_text(json.dumps(row))


def check(load: Load, expected: list[Any]) -> None:
    """The first sentence of the first request has the Encoder's numbers."""
    connection = http.client.HTTPConnection("127.0.0.1", load.port, timeout=120)
    connection.request("POST", "/api/embed", load.bodies[0], {"Content-Type": "application/json"})
    content = json.loads(connection.getresponse().read())["sentences"][0]
    import numpy as np

    vectors = np.frombuffer(base64.b64decode(content["vectors"]), dtype="<f4").reshape(content["shape"])
    np.testing.assert_allclose(vectors, np.asarray(expected), atol=1e-5)


def report(given: Any, alone: float, pace: float, load: Load, readings: list[int], code: int) -> None:
    """The table."""
    latencies = sorted(load.latencies)
    others = sum(count for status, count in load.statuses.items() if status not in ("200", "503"))
    later = readings[len(readings) // 3 :]
    print(f"{given.model}, layers {given.layers}, {given.connections} connections, {given.seconds:g} s, ", end="")
    print(f"{given.sentences} sentences a request, {sum(load.words) / len(load.words):.0f} words")
    print(f"Encoder alone        {alone:>12,.0f} words/s")
    print(f"API                  {pace:>12,.0f} words/s = {pace / alone:.2f} of it")
    print(f"answers              {dict(load.statuses)}; errors other than 503: {others}; exit code {code}")
    print(f"latency              {latencies[len(latencies) // 2]:.2f} s median, ", end="")
    print(f"{latencies[int(0.95 * (len(latencies) - 1))]:.2f} s at 95 %; {load.received / 1e6:,.0f} MB received")
    print(
        f"resident memory      {readings[0] / 2**20:,.0f} MB at first, {max(readings) / 2**20:,.0f} MB most, ", end=""
    )
    print(f"last two thirds {min(later) / 2**20:,.0f} to {max(later) / 2**20:,.0f} MB")


if __name__ == "__main__":
    main()
