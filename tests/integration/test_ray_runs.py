"""`elmo embed` and `elmo prepare` on Ray: drivers that are killed, nodes that go, models that are missing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from elmokit.encode.parts import PartSettings, embed_corpus
from elmokit.errors import ElmokitError
from elmokit.parts.engines.local import LocalEngine
from elmokit.parts.engines.ray import RayEngine
from elmokit.parts.folder import PartFolder
from elmokit.parts.run import run_parts
from elmokit.parts.work import Result
from elmokit.places import Place
from elmokit.pretrain.prepare.run import PrepareSettings, prepare_corpus_folder
from elmokit.text.ranges import cut
from helpers.commands import contents, ended, model_and_text, start, wait_for
from helpers.part_work import FILES, CountWords

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.nightly]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and a text of 5,400 words."""
    return model_and_text(tmp_path_factory.mktemp("ray"), lines=600)


@pytest.fixture(autouse=True)
def workers_find_helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests'}:{ROOT / 'src'}")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    yield
    ray.shutdown()


def test_a_killed_driver_leaves_a_cluster_that_the_next_one_does_not_join(place: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = ("embed", place / "model", place / "text.txt", f"{output}/", "--part-words", 50)
    command += ("--engine", "ray", "--actors", 1)  # type: ignore[assignment]
    killed = start(*command)
    wait_for(output, "part-*.parquet", killed)
    killed.kill()
    killed.communicate()
    assert not (output / "_SUCCESS").exists()
    before = contents(output, "part-*.parquet")
    code, said = ended(start(*command))
    assert code == 0, said
    assert before.items() <= contents(output, "part-*.parquet").items()
    whole = tmp_path / "whole"
    embed_corpus(
        str(place / "text.txt"), str(whole), PartSettings(str(place / "model")), LocalEngine(), part_words=50,
        progress=False,
    )  # fmt: skip
    assert contents(output, "part-*") == contents(whole, "part-*")


def test_preparing_on_ray_makes_the_same_bytes_after_a_kill(place: Path, tmp_path: Path) -> None:
    output = tmp_path / "corpus"
    command = ("prepare", place / "text.txt", "--output", output, "--part-words", 100)
    command += ("--engine", "ray", "--actors", 1)  # type: ignore[assignment]
    killed = start(*command)
    wait_for(output / "train", "part-*.shard", killed)
    killed.kill()
    killed.communicate()
    assert not (output / "corpus.json").exists()
    code, said = ended(start(*command))
    assert code == 0, said
    prepare_corpus_folder(
        PrepareSettings((str(place / "text.txt"),), part_words=100), str(tmp_path / "whole"), LocalEngine(),
        progress=False,
    )  # fmt: skip
    for folder, pattern in ((".", "*.*"), ("train", "part-*")):
        assert contents(output / folder, pattern) == contents(tmp_path / "whole" / folder, pattern)


def test_a_node_that_is_removed_loses_nothing(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    lines = [f"line {number} has words" for number in range(80)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    try:
        node = cluster.add_node(num_cpus=2)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        folder = PartFolder(Place(str(tmp_path / "out")), FILES)
        folder.open({}, lambda: cut(Place(str(tmp_path / "text.txt")), words=4), notes={}, overwrite=False)
        remove = threading.Timer(0.1, cluster.remove_node, [node])
        work, engine = CountWords(folder.place.address, seconds=0.1), RayEngine(actors=3)
        started = False

        class Watched:
            def results(self, *arguments: object) -> Iterator[Result]:
                nonlocal started
                for result in engine.results(*arguments):  # type: ignore[arg-type]
                    if not started:
                        started = True
                        remove.start()
                    yield result

        run_parts(folder, Watched(), work, what="counting", progress=False)  # type: ignore[arg-type]
        folder.finish()
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert started and len(folder.done) > 20
    assert folder.done.all() and folder.counts.sum(axis=0).tolist() == [80, 320, 0]


def test_a_model_that_a_node_does_not_have_is_named(place: Path, tmp_path: Path) -> None:
    """The driver checked it; the machine of an actor has another disk, here: it went meanwhile."""
    import shutil

    shutil.copytree(place / "model", tmp_path / "model")
    engine = RayEngine(actors=1)

    class Gone:
        def results(self, *arguments: object) -> Iterator[Result]:
            shutil.rmtree(tmp_path / "model")
            return engine.results(*arguments)  # type: ignore[arg-type]

    with pytest.raises(ElmokitError, match=r"model.*--resume|There is no model folder .*model"):
        embed_corpus(
            str(place / "text.txt"), str(tmp_path / "out"), PartSettings(str(tmp_path / "model")), Gone(),  # type: ignore[arg-type]
            part_words=500, progress=False,
        )  # fmt: skip
    assert not list((tmp_path / "out").glob("part-*"))
