"""What `load` recognises, and what it says of everything else."""

from __future__ import annotations

import functools
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from elmokit.encode.encoder import Encoder
from elmokit.errors import ConfigError, ModelError
from elmokit.interop.bilm_hdf5 import write_bilm
from elmokit.interop.loading import load, save
from helpers.published_files import bilm_arrays, bilm_options, write_bilm_files

OPTIONS = bilm_options()
ARRAYS = bilm_arrays(OPTIONS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bilm_files(tmp_path / "model", OPTIONS, ARRAYS)


def vectors(path: Any, **kwargs: Any) -> np.ndarray:
    return Encoder.from_pretrained(path, **kwargs).encode(["The bank"])[0]


def test_every_way_to_name_a_pair(folder: Path, tmp_path: Path) -> None:
    expected = vectors(folder)
    names = {  # weights and options as their publishers call them
        "elmo_2x6_4_weights.hdf5": "elmo_2x6_4_options.json",
        "model.hdf5": "options.json",
        "lm_weights.hdf5": "options.json",
        "weights.h5": "settings.json",
    }
    for number, (weights, options) in enumerate(names.items()):
        other = tmp_path / f"other{number}" / "inner"
        other.mkdir(parents=True)
        shutil.copy(folder / "weights.hdf5", other / weights)
        shutil.copy(folder / "options.json", other / options)
        (other / "meta.json").write_text('{"language": "eng"}')
        np.testing.assert_array_equal(vectors(other / weights), expected)
        np.testing.assert_array_equal(vectors(other.parent), expected)
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            for path in other.iterdir():
                archive.write(path, f"{number}/{path.name}")
        np.testing.assert_array_equal(vectors(tmp_path / f"{number}.zip"), expected)
    apart = tmp_path / "apart"
    apart.mkdir()
    shutil.move(folder / "options.json", apart / "o.json")
    np.testing.assert_array_equal(vectors(folder / "weights.hdf5", options=apart / "o.json"), expected)


def test_a_classifiers_folder_still_brings_its_mix(tmp_path: Path) -> None:
    from elmokit.models.configuration_elmo import ElmoConfig
    from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification

    ElmoForSequenceClassification(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "c")
    found = load(tmp_path / "c")
    assert found.format == "elmokit"
    assert found.mix is not None
    assert not found.model.config.warm_state


def test_the_options_of_training_are_repaired_and_noted(tmp_path: Path) -> None:
    made = bilm_options(n_characters=261)
    found = load(write_bilm_files(tmp_path / "m", made, bilm_arrays(made)), warm=False)
    assert "n_characters 261 read as 262" in found.notes[0]
    assert found.model.config.n_characters == 262


def test_arrays_that_are_not_asked_for_are_noted(folder: Path) -> None:
    with h5py.File(folder / "weights.hdf5", "a") as file:
        file["softmax/W"] = np.zeros((3, 4))
    assert load(folder, warm=False).notes == ["passed over: softmax/W"]


def test_a_saved_import_starts_warm_and_can_start_from_zero(folder: Path, tmp_path: Path) -> None:
    save(load(folder), tmp_path / "ours")
    np.testing.assert_array_equal(vectors(tmp_path / "ours"), vectors(folder))
    zero = vectors(tmp_path / "ours", state="zero")
    np.testing.assert_array_equal(zero, vectors(folder, state="zero"))
    assert np.abs(zero - vectors(folder)).max() > 1e-3
    save(load(folder, warm=False), tmp_path / "cold")
    with pytest.raises(ConfigError, match="contains no warm state"):
        Encoder.from_pretrained(tmp_path / "cold", state="warm")


def test_a_folder_of_models_is_not_a_model(tmp_path: Path) -> None:
    """One inside is found, as in an archive; of several none is chosen in silence."""
    from elmokit.models import ElmoConfig, ElmoModel

    for name in ("one", "two"):
        ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "runs" / name)
    with pytest.raises(ModelError, match=r"runs is no model, but 2 folders in it are \(one, two\): give the one"):
        load(tmp_path / "runs")
    shutil.rmtree(tmp_path / "runs" / "two")
    assert load(tmp_path / "runs").model.config.projection_dim == ElmoConfig.preset("tiny").projection_dim


def test_save_never_replaces(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ModelError, match="exists"):
        save(load(folder, warm=False), tmp_path / "there")


def changed(**sections: Any) -> dict[str, Any]:
    made = json.loads(json.dumps(OPTIONS))
    for path, value in sections.items():
        section, key = path.split("__")
        if value is None:
            made[section].pop(key)
        else:
            made[section][key] = value
    return made


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (changed(lstm__dim=7), r"W_0 is \(8, 24\); its options ask for \(8, 28\)"),
        (changed(lstm__projection_dim=9), "projection_dim is 9 and dim 6"),
        (changed(lstm__projection_dim="many"), "'many'"),
        (changed(lstm__dim=None), 'lack "dim" in "lstm"'),
        (changed(lstm__n_layers=3), "lacks RNN_0/RNN/MultiRNNCell/Cell2"),
        (changed(char_cnn__filters=[[1, 3]]), r"CNN_high_0/W_carry is \(7, 7\)"),
        (changed(char_cnn__activation="gelu"), "gelu"),
        (changed(char_cnn__n_characters=300), "n_characters is 300; expected 261"),
        (changed(char_cnn__max_characters_per_token=2), "max_characters_per_token"),
        ({"char_cnn": {}}, 'expected an object with "lstm"'),
        ({"lstm": OPTIONS["lstm"]}, 'no "char_cnn"'),
    ],
)
def test_options_that_do_not_fit(folder: Path, options: dict[str, Any], message: str) -> None:
    (folder / "options.json").write_text(json.dumps(options))
    with pytest.raises(ModelError, match=message):
        load(folder / "weights.hdf5", options=folder / "options.json")


def replace(file: h5py.File, name: str, **kwargs: Any) -> None:
    del file[name]
    file.create_dataset(name, **kwargs)


def spoil(path: Path, kind: str) -> None:
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:3000])
        return
    if kind == "foreign":
        path.write_bytes(b"PK\x03\x04 something else")
        return
    with h5py.File(path, "a") as file:
        if kind == "nan":
            file["CNN/b_cnn_0"][1] = np.nan
        elif kind == "integers":
            replace(file, "CNN/b_cnn_0", data=np.zeros(3, dtype=np.int64))
        elif kind == "unwritten":  # claims its size, and contains nothing
            replace(file, "CNN/b_cnn_0", shape=(3,), dtype="f4", chunks=(3,))
        elif kind == "link":
            del file["CNN/b_cnn_0"]
            file["CNN/b_cnn_0"] = h5py.ExternalLink("/tmp/other.hdf5", "/x")
        elif kind == "group":
            del file["char_embed"]
            file.create_group("char_embed")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("cut", "is no HDF5 file, or it is cut short"), ("foreign", "is no HDF5 file"),
        ("nan", "1 of 3 values of CNN/b_cnn_0 are not finite"), ("integers", "holds int64"),
        ("unwritten", "never written"), ("link", "lacks CNN/b_cnn_0"), ("group", "lacks char_embed"),
    ],
)  # fmt: skip
def test_weights_that_are_damaged(folder: Path, kind: str, message: str) -> None:
    spoil(folder / "weights.hdf5", kind)
    with pytest.raises(ModelError, match=message):
        load(folder)


def test_what_is_no_model(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "a.md"
    text.write_text("x")
    two = shutil.copytree(folder, tmp_path / "two")
    shutil.copy(two / "weights.hdf5", two / "other_weights.hdf5")
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(folder / "weights.hdf5", alone / "weights.hdf5")
    for path, message in {
        tmp_path / "none": "There is no model folder",
        empty: "is no model: expected config.json",
        text: "expected a folder, a .zip, .hdf5, .vec, .txt or .bin file",
        two: "holds 2 weight files",
        alone: "no options file is next to",
    }.items():
        with pytest.raises(ModelError, match=message):
            load(path)


def test_a_word_level_model_needs_its_vocabulary(tmp_path: Path) -> None:
    made = {"lstm": OPTIONS["lstm"]}
    path = write_bilm_files(tmp_path / "m", made, bilm_arrays(made, n_words=4))
    with pytest.raises(ModelError, match="expected its vocabulary"):
        load(path)
    (path / "vocab.txt").write_text("<S>\n</S>\nbank\nriver\n")
    with pytest.raises(ModelError, match="vocabulary lacks <UNK>"):
        load(path)
    (path / "vocab.txt").write_text("<S>\n</S>\n<UNK>\nriver\nbank\n")
    with pytest.raises(ModelError, match="'bank' the number 4"):
        load(path)


@pytest.fixture
def address(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine with the pair as publishers name it, and a zip of it."""
    served = tmp_path / "served"
    served.mkdir()
    shutil.copy(folder / "weights.hdf5", served / "elmo_weights.hdf5")
    shutil.copy(folder / "options.json", served / "elmo_options.json")
    shutil.copy(folder / "options.json", served / "other.json")
    shutil.make_archive(str(served / "model"), "zip", folder)
    shutil.copy(folder / "weights.hdf5", served / "plain.hdf5")
    monkeypatch.setenv("ELMOKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=served)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_addresses(folder: Path, address: str) -> None:
    expected = vectors(folder)
    np.testing.assert_array_equal(vectors(f"{address}/elmo_weights.hdf5"), expected)
    np.testing.assert_array_equal(vectors(f"{address}/model.zip"), expected)
    np.testing.assert_array_equal(vectors(f"{address}/plain.hdf5", options=f"{address}/other.json"), expected)
    with pytest.raises(ModelError, match="give its options file too"):
        load(f"{address}/plain.hdf5")
    with pytest.raises(ModelError, match="the server answers 404"):
        load(f"{address}/none.zip")


def test_hub_repositories(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub itself is not asked here: its client is, and what it leaves on the disk is read."""
    import huggingface_hub

    asked: list[str] = []

    def snapshot_download(repository: str) -> str:
        asked.append(repository)
        return str(folder)

    expected = vectors(folder)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    np.testing.assert_array_equal(vectors("someone/elmo-german"), expected)
    assert asked == ["someone/elmo-german"]
    monkeypatch.undo()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="could not be downloaded from the hub"):
        load("someone/elmo-that-is-not-there")


def test_a_word_that_stands_twice_keeps_every_number(tmp_path: Path) -> None:
    """Out and in again; U+2028 inside a word ends no line."""
    made = {"lstm": OPTIONS["lstm"]}
    words = ["<S>", "</S>", "<UNK>", "a", "b", "a", "x\u2028y", "d"]
    path = write_bilm_files(tmp_path / "m", made, bilm_arrays(made, n_words=8), words=words)
    found = load(path, warm=False)
    assert found.rows(["a", "x\u2028y", "d"])[:, 0].tolist() == [6, 7, 8]
    write_bilm(found.model, found.rows, tmp_path / "back")
    again = load(tmp_path / "back", warm=False)
    assert again.rows(["a", "x\u2028y", "d"])[:, 0].tolist() == [6, 7, 8]


def test_flipped_bytes_are_one_error(folder: Path) -> None:
    """Damage anywhere in the file gives an error of ours, or vectors."""
    content = (folder / "weights.hdf5").read_bytes()
    draw = np.random.default_rng(0)
    failed = 0
    for _ in range(150):
        damaged = bytearray(content)
        for place in draw.integers(0, 4000, 3):
            damaged[place] ^= int(draw.integers(1, 256))
        (folder / "weights.hdf5").write_bytes(damaged)
        try:
            load(folder, warm=False)
        except ModelError:
            failed += 1
    assert failed > 20


@pytest.mark.parametrize(("section", "key"), [("lstm", "n_layers"), ("char_cnn", "n_highway")])
def test_absurd_sizes_are_refused_at_once(folder: Path, section: str, key: str) -> None:
    (folder / "options.json").write_text(json.dumps(changed(**{f"{section}__{key}": 10**9})))
    with pytest.raises(ModelError, match=f"{key} is 1000000000; expected at most 100"):
        load(folder)
    (folder / "options.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match="are no JSON"):
        load(folder / "weights.hdf5", options=folder / "options.json")


def test_what_macos_adds_to_a_zip_is_passed_over(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"m/{path.name}")
            archive.writestr(f"__MACOSX/m/._{path.name}", b"x")
            archive.writestr(f"m/._{path.name}", b"x")
    np.testing.assert_array_equal(vectors(tmp_path / "m.zip"), vectors(folder))


def test_sums_of_local_files(folder: Path, tmp_path: Path) -> None:
    import hashlib

    shutil.make_archive(str(tmp_path / "m"), "zip", folder)
    found = hashlib.sha256((tmp_path / "m.zip").read_bytes()).hexdigest()
    load(tmp_path / "m.zip", sha256=found, warm=False)
    with pytest.raises(ModelError, match="has the SHA-256 sum"):
        load(tmp_path / "m.zip", sha256="0" * 64)
    with pytest.raises(ModelError, match="is no file: it cannot be checked"):
        load(folder, sha256=found)


def test_converting_ours_keeps_the_head(tmp_path: Path) -> None:
    from elmokit.models import ElmoConfig, ElmoForPreTraining, ElmoForSequenceClassification
    from elmokit.text.vocab import Vocabulary

    vocabulary = Vocabulary.from_counts({"the": 3, "bank": 2})
    ElmoForPreTraining(ElmoConfig.preset("tiny", vocab_size=5)).save_pretrained(tmp_path / "lm")
    vocabulary.save(tmp_path / "lm" / "vocab.txt")
    save(load(tmp_path / "lm", whole=True, warm_text=[["the", "bank"]]), tmp_path / "warm")
    encoder = Encoder.from_pretrained(tmp_path / "warm")
    assert encoder.state == "warm"
    assert len(encoder.substitutes("the bank", 1)) == 2
    ElmoForSequenceClassification(ElmoConfig.preset("tiny", mix_weights=[0.1, 0.2, 0.7])).save_pretrained(
        tmp_path / "c"
    )
    save(load(tmp_path / "c", whole=True), tmp_path / "again")
    assert load(tmp_path / "again").mix is not None


@pytest.mark.parametrize("head", ["TokenClassification", "QuestionAnswering", "Translation"])
def test_converting_ours_keeps_every_head_and_what_lies_beside_it(tmp_path: Path, head: str) -> None:
    import elmokit.models
    from elmokit.models import ElmoConfig, ElmoTokenizer

    kind = getattr(elmokit.models, f"ElmoFor{head}")
    first = kind(ElmoConfig.preset("tiny", pre_split=True))
    first.save_pretrained(tmp_path / "head")
    ElmoTokenizer(text_steps=["lower_case"], by_word=True).save_pretrained(tmp_path / "head")
    (tmp_path / "head" / "target_pieces.json").write_text("{}")
    save(load(tmp_path / "head", whole=True), tmp_path / "again")
    again = kind.from_pretrained(tmp_path / "again")
    assert again.config.architectures == [f"ElmoFor{head}"]
    for name, tensor in first.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert ElmoTokenizer.from_pretrained(tmp_path / "again").words("Ada, here") == ["ada", ",", "here"]
    assert (tmp_path / "again" / "target_pieces.json").is_file()
    assert load(tmp_path / "head").mix is not None
