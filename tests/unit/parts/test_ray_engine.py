"""Parts on a Ray cluster of this machine; one cluster serves all tests here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from elmokit.errors import ConfigError
from elmokit.parts.engines.ray import OWN_CLUSTER, RayEngine
from elmokit.parts.folder import PartFolder
from elmokit.parts.run import run_parts
from elmokit.places import Place
from elmokit.text.ranges import cut
from helpers.part_work import FILES, CountWords

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow
LINES = [f"line {number} has words" for number in range(60)]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{Path(__file__).parents[2]}:{Path(__file__).parents[3] / 'src'}")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield
        ray.shutdown()


@pytest.fixture
def text(tmp_path: Path) -> Place:
    (tmp_path / "text.txt").write_text("\n".join(LINES) + "\n")
    return Place(str(tmp_path / "text.txt"))


def run(text: Place, output: Place, **work: Any) -> PartFolder:
    folder = PartFolder(output, FILES)
    folder.open({}, lambda: cut(text, words=60), notes={}, overwrite=False)
    run_parts(folder, RayEngine(actors=1), CountWords(output.address, **work), what="counting", progress=False)
    folder.finish()
    return folder


def test_an_actor_that_is_killed_loses_and_doubles_nothing(text: Place, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    folder = run(text, Place(str(tmp_path / "out")), marks=str(marks), dies=(1,))
    assert (marks / "1").exists()
    assert folder.done.all() and folder.counts.sum(axis=0).tolist() == [60, 240, 0]


def test_more_actors_than_cpus_is_an_error_before_the_start() -> None:
    engine = RayEngine(actors=2)
    with pytest.raises(ConfigError, match=r"has 2 CPUs and 0 GPUs: room for 1 actors of 1 CPUs .* 2 were asked for"):
        next(engine.results(CountWords(""), iter([])))


def test_only_a_cluster_of_its_own_does_less_beside_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_event_stats", "1")
    seen: list[dict[str, str]] = []

    class Ray:
        def init(self, **options: Any) -> None:
            seen.append(dict(os.environ))

    before = dict(os.environ)
    RayEngine()._connect(Ray())
    RayEngine(address="auto")._connect(Ray())
    assert {name: seen[0].get(name) for name in OWN_CLUSTER} == {**OWN_CLUSTER, "RAY_event_stats": "1"}
    assert seen[1] == dict(os.environ) == before
