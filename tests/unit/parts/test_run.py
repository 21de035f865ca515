"""A folder of parts: filled, resumed, shared, and what may not be mixed up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from elmokit.errors import ConfigError, DataError
from elmokit.parts.engines import Engine
from elmokit.parts.engines.choice import chosen_engine
from elmokit.parts.engines.local import LocalEngine
from elmokit.parts.folder import PartFolder
from elmokit.parts.lock import locked
from elmokit.parts.manifest import WHOLE, Share, parse_share
from elmokit.parts.run import run_parts
from elmokit.places import Place
from elmokit.text.ranges import cut
from helpers.part_work import FILES, CountWords

LINES = [f"line {number} has words" for number in range(60)]


@pytest.fixture
def text(tmp_path: Path) -> Place:
    (tmp_path / "text.txt").write_text("\n".join(LINES) + "\n")
    return Place(str(tmp_path / "text.txt"))


def run(
    text: Place, output: Place, engine: Engine | None = None, *, share: Share = WHOLE, overwrite: bool = False,
    identity: dict[str, Any] | None = None, **work: Any,
) -> PartFolder:  # fmt: skip
    folder = PartFolder(output, FILES)
    folder.open(identity or {"a": 1}, lambda: cut(text, words=30), notes={}, overwrite=overwrite)
    run_parts(
        folder,
        engine or LocalEngine(),
        CountWords(output.address, **work),
        what="counting",
        share=share,
        progress=False,
    )
    folder.finish()
    return folder


def lines_in(output: Place) -> list[str]:
    return [
        line for name in output.names() if name.startswith("part-")
        for line in json.loads((output / name).read_bytes())["lines"]
    ]  # fmt: skip


def contents(output: Place) -> dict[str, bytes]:
    return {name: (output / name).read_bytes() for name in output.names() if name.startswith("part-")}


@pytest.mark.parametrize("where", ["local", "memory"])
def test_a_folder_has_it_all_once(text: Place, tmp_path: Path, where: str) -> None:
    output = Place(str(tmp_path / "out")) if where == "local" else Place(f"memory://{tmp_path.name}/out")
    folder = run(text, output)
    assert lines_in(output) == LINES
    assert json.loads((output / "_SUCCESS").read_bytes()) == {"parts": 6, "sentences": 60, "words": 240, "skipped": 0}
    with (output / "_manifest.parquet").open() as file:
        rows = pq.read_table(file).to_pylist()
    assert [row["part"] for row in rows] == list(range(6))
    assert [row["first_sentence"] for row in rows] == np.cumsum([0, *folder.counts[:-1, 0]]).tolist()
    before = contents(output)
    run(text, output, fails=0)  # nothing is left to do
    assert contents(output) == before


def test_an_interrupted_run_resumes(text: Place, tmp_path: Path) -> None:
    output = Place(str(tmp_path / "out"))
    with pytest.raises(DataError, match=r"a bad line \(part 3; the parts that are done are kept\)"):
        run(text, output, fails=3)
    assert "_SUCCESS" not in output.names() and len(contents(output)) == 3
    (output / FILES.name(1)).write_bytes(b'{"cut o')  # a store that lost a write
    run(text, output)
    assert lines_in(output) == LINES


def test_jobs_share_a_folder(text: Place, tmp_path: Path) -> None:
    output = Place(str(tmp_path / "out"))
    for number in (2, 1):
        run(text, output, share=Share(number, 3))
    assert "_SUCCESS" not in output.names()
    run(text, output, share=Share(3, 3))
    assert lines_in(output) == LINES and "_SUCCESS" in output.names()


def test_processes_that_die_are_replaced(text: Place, tmp_path: Path) -> None:
    output, marks = Place(str(tmp_path / "out")), tmp_path / "marks"
    marks.mkdir()
    run(text, output, LocalEngine(2), marks=str(marks), dies=(2, 5))
    assert {path.name for path in marks.iterdir()} == {"2", "5"}
    assert lines_in(output) == LINES


@pytest.mark.slow
def test_a_part_that_always_kills_its_process_ends_the_run(text: Place, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"part 1 .* were killed again and again.*--actors"):
        run(text, Place(str(tmp_path / "out")), LocalEngine(2), always_dies=1)


def test_another_run_is_not_mixed_in(text: Place, tmp_path: Path) -> None:
    output = Place(str(tmp_path / "out"))
    run(text, output)
    with pytest.raises(ConfigError, match=r"has a = 1, this one 2: give the same settings, or --overwrite"):
        run(text, output, identity={"a": 2})
    run(text, output, identity={"a": 2}, overwrite=True)
    assert lines_in(output) == LINES
    (output / "thesis.doc").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"thesis\.doc, which no run of this kind wrote"):
        run(text, output)
    (output / "thesis.doc").remove()
    (output / "_about.json").remove()
    with pytest.raises(ConfigError, match=r"holds parts but no _about\.json"):
        run(text, output)


def test_two_drivers_do_not_write_to_one_folder(tmp_path: Path) -> None:
    for place in (Place(str(tmp_path / "_lock")), Place("memory://locks/_lock")):
        with locked(place), pytest.raises(ConfigError, match="is writing to"), locked(place):
            pass
        assert not place.exists()
        with locked(place):
            pass


def test_options_that_do_not_fit() -> None:
    assert parse_share("3/8") == Share(3, 8)
    for wrong in ("0/3", "4/3", "x", "1/0"):
        with pytest.raises(ConfigError, match="expected i/n with i from 1 to n"):
            parse_share(wrong)
    with pytest.raises(ConfigError, match="--address is for --engine ray"):
        chosen_engine("local", actors=None, threads=1, address="auto")
    with pytest.raises(ConfigError, match="need 4000 cores, this machine has"):
        next(iter(chosen_engine("ray", actors=1000, threads=4).results(CountWords(""), iter([]))))
