"""Drivers of `elmo embed OUT/` and `elmo prepare` that are killed, doubled, or out of disk: real processes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from elmokit.encode.parts import PartSettings, embed_corpus
from elmokit.parts.engines.local import LocalEngine
from elmokit.pretrain.prepare.run import PrepareSettings, prepare_corpus_folder
from helpers.commands import contents, ended, model_and_text, start, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and a text of 18,000 words."""
    return model_and_text(tmp_path_factory.mktemp("parts"), lines=2000)


def test_embedding_loses_and_doubles_nothing(place: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = ("embed", place / "model", place / "text.txt", f"{output}/", "--part-words", 150)
    first = start(*command, "--actors", 1)
    wait_for(output, "part-*.parquet", first)
    first.send_signal(signal.SIGSTOP)  # it has the lock of the folder, and does not finish meanwhile
    code, said = ended(start(*command))
    assert code == 2 and "another process is writing to" in said and len(said.strip().splitlines()) == 1
    first.kill()
    first.communicate()
    assert not (output / "_SUCCESS").exists()
    before = contents(output, "part-*.parquet")

    code, said = ended(start(*command, "--actors", 1, bytes_a_file=6000))  # as a full disk
    assert (code == 2 and "what is done is kept" in said) or "are kept" in said, said
    assert before.items() <= contents(output, "part-*.parquet").items()

    assert ended(start(*command, "--actors", 2))[0] == 0
    whole = tmp_path / "whole"
    embed_corpus(
        str(place / "text.txt"), str(whole), PartSettings(str(place / "model")), LocalEngine(), part_words=150,
        progress=False,
    )  # fmt: skip
    assert contents(output, "part-*") == contents(whole, "part-*")
    assert sorted(path.name for path in output.iterdir()) == sorted(path.name for path in whole.iterdir())


def test_preparing_loses_and_doubles_nothing(place: Path, tmp_path: Path) -> None:
    output = tmp_path / "corpus"
    command = ("prepare", place / "text.txt", "--output", output, "--part-words", 100, "--actors", 1)
    first = start(*command)
    wait_for(output / "train", "part-*.shard", first)
    first.send_signal(signal.SIGSTOP)  # it has the lock of the folder, and does not finish meanwhile
    code, said = ended(start(*command))
    assert code == 2 and "another process is writing to" in said and len(said.strip().splitlines()) == 1
    first.kill()
    first.communicate()
    assert not (output / "corpus.json").exists()
    before = contents(output / "train", "part-*.shard")
    code, said = ended(start(*command, bytes_a_file=300))  # as a full disk
    assert code == 2 and "File too large" in said and len(said.strip().splitlines()) == 1, said
    assert before.items() <= contents(output / "train", "part-*.shard").items()
    code, said = ended(start(*command))
    assert code == 0, said
    prepare_corpus_folder(
        PrepareSettings((str(place / "text.txt"),), part_words=100), str(tmp_path / "whole"), LocalEngine(),
        progress=False,
    )  # fmt: skip
    for folder, pattern in ((".", "*.*"), ("train", "part-*")):
        assert contents(output / folder, pattern) == contents(tmp_path / "whole" / folder, pattern)
