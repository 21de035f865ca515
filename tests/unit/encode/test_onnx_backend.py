"""The backend "onnx" against the backend "torch": the same sentence, the same vector."""

from __future__ import annotations

import copy
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elmokit import Encoder
from elmokit.encode.onnx_backend import _stretches
from elmokit.errors import ConfigError, ModelError
from elmokit.interop.graphs import graphs, write_graphs
from elmokit.models import ElmoConfig, ElmoForSequenceClassification, ElmoModel, ElmoTokenizer
from elmokit.nn.warm_state import warm_up
from elmokit.pretrained import shipped_models
from elmokit.saved_model import SavedModel
from elmokit.saved_model.graph_files import LAYERS_GRAPH, WORDS_GRAPH
from elmokit.text.word_rows import ByteRows, DictionaryRows, LookupRows, PieceRows, WordByteRows, WordRows

WORDS = {"<S>": 0, "</S>": 1, "<UNK>": 2, "the": 3, "bank": 4}
SENTENCES = [
    ["the", "bank", "was", "wet", "."], [], ["Zürich"], ["x" * 70, "日本", "the"], ["a"] * 40,
    *[["the", f"w{number}", "bank"] for number in range(9)],
]  # fmt: skip
CHARACTERS = ["<bos>", "<eos>", "<bow>", "<eow>", "<oov>", "<pad>", *"abht"]
MANY_LANGS = DictionaryRows(
    words={"<oov>": 0, "<bos>": 1, "<eos>": 2, "the": 3},
    characters={name: number for number, name in enumerate(CHARACTERS)},
    max_characters=12,
)  # fmt: skip
KINDS: list[tuple[dict[str, Any], WordRows]] = [
    ({"cell_clip": 0.3, "proj_clip": 0.2, "n_layers": 3}, ByteRows(50)),
    ({"projection_dim": 32, "use_skip_connections": False, "cell_clip": None, "directions": 1, "n_layers": 1,
      "char_cnn_activation": "tanh", "n_highway": 0}, ByteRows(50)),
    ({"token_encoder": "word", "n_words": 6}, LookupRows(WORDS)),
    ({"token_encoder": "word_char", "n_words": 6, "word_dim": 5}, WordByteRows(WORDS)),
    ({"token_encoder": "word_char", "n_words": 5, "word_dim": 5, "n_characters": 11, "character_padding": 6,
      "max_characters_per_token": 12}, MANY_LANGS),
    ({"token_encoder": "subword", "n_words": 271}, PieceRows.trained({"the": 5, "there": 3, "bank": 2}, n_pieces=270)),
]  # fmt: skip


def folder_of(folder: Path, settings: dict[str, Any], rows: WordRows, *, warm: bool = False) -> Path:
    """A tiny model with large weights, so that clips bite, and its graphs."""
    torch.manual_seed(0)
    markers = None if settings.get("token_encoder", "char_cnn") in ("char_cnn", "word") else rows.markers().tolist()
    model = ElmoModel(ElmoConfig.preset("tiny", marker_rows=markers, **settings)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    if warm:
        warm_up(model.network, rows)
    model.save_pretrained(folder)
    ElmoTokenizer(word_rows=rows).save_pretrained(folder)
    write_graphs(SavedModel.open(folder).config, folder)
    return folder


def both(folder: Path | str, **settings: Any) -> tuple[Encoder, Encoder]:
    return tuple(Encoder.from_pretrained(folder, backend=name, **settings) for name in ("onnx", "torch"))  # type: ignore[return-value, arg-type]


@pytest.mark.parametrize(("settings", "rows"), KINDS)
@pytest.mark.parametrize("batch_size", [1, 256])
def test_every_kind_of_model(tmp_path: Path, settings: dict[str, Any], rows: WordRows, batch_size: int) -> None:
    onnx, torch_ = both(folder_of(tmp_path, settings, rows))
    assert (onnx.backend, torch_.backend) == ("onnx", "torch")
    found = onnx.encode(SENTENCES, is_split_into_words=True, batch_size=batch_size)
    for one, other in zip(found, torch_.encode(SENTENCES, is_split_into_words=True), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * max(np.abs(other).max(initial=1), 1))
    assert onnx.fingerprint() == torch_.fingerprint()


def test_warm_and_zero_states(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {}, ByteRows(50), warm=True)
    for state in (None, "zero"):
        one, other = (encoder.encode("the bank") for encoder in both(folder, state=state))
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(both(folder)[0].encode("the bank") - one)[1:].max() > 1e-3  # so the warm state was read


@pytest.mark.parametrize("name", list(shipped_models()))
def test_shipped_models(name: str) -> None:
    onnx, torch_ = both(name)
    texts = ["He sat on the bank of the stream.", "The bank refused to lend them money.", "Zürich!"]
    for layers in ("all", "mix", "top"):
        for one, other in zip(onnx.encode(texts, layers=layers), torch_.encode(texts, layers=layers), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
    one, other = (encoder.encode(texts, layers="concat", level="sentence") for encoder in (onnx, torch_))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("name", list(shipped_models()))
def test_graphs_of_shipped_models_are_those_that_their_shape_gives(name: str) -> None:
    saved = SavedModel.open(name)
    for file, graph in graphs(saved.config).items():
        assert (saved.folder / file).read_bytes() == graph, f"stale: python recipes/write_graphs.py {name}"
        assert len(graph) < 1 << 20


def test_a_trained_mix(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = ElmoForSequenceClassification(ElmoConfig.preset("tiny", mix_weights=[0.1, 0.2, 0.7]))
    with torch.no_grad():
        model.mix.gamma.fill_(1.7)  # type: ignore[union-attr]
        model.mix.scale.fill_(3.0)  # type: ignore[union-attr]
    model.save_pretrained(tmp_path)
    write_graphs(SavedModel.open(tmp_path).config, tmp_path)
    onnx, torch_ = both(tmp_path)
    np.testing.assert_allclose(
        onnx.encode("A pitch!", layers="mix"), torch_.encode("A pitch!", layers="mix"), atol=1e-5
    )
    assert onnx.mix is not None and torch_.mix is not None
    np.testing.assert_allclose(onnx.mix.weights()[0], torch_.mix.weights()[0], atol=1e-6)  # type: ignore[index]


def test_a_long_text_runs_in_stretches(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {}, ByteRows(50))
    onnx, torch_ = both(folder)
    onnx._backend.words_per_batch = 16  # type: ignore[attr-defined]
    sentences = [[f"w{number % 7}" for number in range(length)] for length in (100, 17, 3, 0, 45)]
    for one, other in zip(
        onnx.encode(sentences, is_split_into_words=True),
        torch_.encode(sentences, is_split_into_words=True),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_stretches_cover_every_step_once() -> None:
    lengths = np.array([50, 31, 30, 30, 12, 2, 2, 2])
    found = list(_stretches(lengths, most_words=40))
    assert [stretch.start for stretch in found] == [0, *(stretch.stop for stretch in found[:-1])]
    assert found[-1].stop == 50
    assert all(stretch.sentences == (lengths > stretch.start).sum() for stretch in found)
    assert all((stretch.stop - stretch.start) * stretch.sentences <= 40 for stretch in found)


def test_a_copy_and_another_number_of_threads(tmp_path: Path) -> None:
    encoder = Encoder.from_pretrained(folder_of(tmp_path, {}, ByteRows(50)), backend="onnx")
    before = encoder.encode("the bank")
    for other in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))):
        np.testing.assert_array_equal(other.encode("the bank"), before)
    encoder.set_threads(2)
    np.testing.assert_allclose(encoder.encode("the bank"), before, atol=1e-6)


def test_words_are_kept_and_forgotten(tmp_path: Path) -> None:
    encoder = Encoder.from_pretrained(folder_of(tmp_path, {}, ByteRows(50)), backend="onnx")
    encoder._backend._cache.capacity = 2  # type: ignore[attr-defined]
    encoder.encode(["one two", "three two"])
    words, vectors = encoder.cached_words()
    assert (len(words), vectors.shape) == (2, (2, 16))
    encoder.clear_cache()
    assert encoder.cached_words()[0] == []
    encoder.restore_cached_words(["two"], vectors[:1] * 0)
    assert not encoder.encode("two")[0].any()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"state": "carry"}, "state='carry' needs the backend 'torch'"),
        ({"device": "cuda"}, r"device 'cuda' needs the backend 'torch': pip install -c constraints.txt '\.\[torch\]'"),
        ({"dtype": "bfloat16"}, "dtype 'bfloat16' needs the backend 'torch'"),
        ({"backend": "tensorflow"}, "Unknown backend 'tensorflow'. Expected one of: torch, onnx"),
    ],
)
def test_what_it_cannot_do_names_the_extra(tmp_path: Path, asked: dict[str, Any], told: str) -> None:
    folder = folder_of(tmp_path, {}, ByteRows(50))
    with pytest.raises(ConfigError, match=told):
        Encoder.from_pretrained(folder, **{"backend": "onnx", **asked}).encode(["a"])


def test_more_that_it_cannot_do(tmp_path: Path) -> None:
    encoder = Encoder.from_pretrained("elmo-mini", backend="onnx")
    for call in (lambda: encoder.model, lambda: encoder.score(["a"]), lambda: encoder.substitutes("a", 0)):
        with pytest.raises(
            ConfigError, match=r"needs the backend 'torch': pip install -c constraints.txt '\.\[torch\]'"
        ):
            call()  # type: ignore[no-untyped-call]
    (tmp_path / "v.vec").write_text("1 2\na 1 2\n")
    with pytest.raises(ModelError, match=r"is not an elmokit model folder; .*'\.\[torch,published\]'"):
        Encoder.from_pretrained(tmp_path / "v.vec", backend="onnx")


def test_damaged_folders_are_told_in_a_line(tmp_path: Path) -> None:
    whole = folder_of(tmp_path / "whole", {}, ByteRows(50))

    def changed(name: str) -> Path:
        return Path(shutil.copytree(whole, tmp_path / name))

    (changed("none") / LAYERS_GRAPH).unlink()
    with pytest.raises(ModelError, match=r"has no layers\.onnx: `elmo convert .* --graphs` writes one that has it"):
        Encoder.from_pretrained(tmp_path / "none", backend="onnx")
    (changed("cut") / WORDS_GRAPH).write_bytes((whole / WORDS_GRAPH).read_bytes()[:400])
    with pytest.raises(ModelError, match=r"words\.onnx is damaged or does not fit the weights"):
        Encoder.from_pretrained(tmp_path / "cut", backend="onnx")
    (changed("bare") / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no model\.safetensors"):
        Encoder.from_pretrained(tmp_path / "bare", backend="onnx")
    (changed("torn") / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ModelError, match=r"the weights in .* cannot be read"):
        Encoder.from_pretrained(tmp_path / "torn", backend="onnx")
    other = graphs(ElmoConfig.preset("tiny", cell_clip=1.0))
    (changed("stale") / LAYERS_GRAPH).write_bytes(other[LAYERS_GRAPH])
    with pytest.raises(ModelError, match="made for a model of another shape"):
        Encoder.from_pretrained(tmp_path / "stale", backend="onnx")
    larger = graphs(ElmoConfig.preset("tiny", cell_dim=64))
    (changed("larger") / LAYERS_GRAPH).write_bytes(larger[LAYERS_GRAPH])
    with pytest.raises(ModelError, match="does not fit the weights"):
        Encoder.from_pretrained(tmp_path / "larger", backend="onnx")


def test_it_runs_where_torch_is_not(tmp_path: Path) -> None:
    """In a process that cannot import PyTorch: the default backend is the other one."""
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'rich', 'h5py', 'pyarrow', 'scipy'): sys.modules[name] = None\n"
        "from importlib import util; find = util.find_spec\n"
        "import elmokit.encode.loading as loading, elmokit.extras as extras\n"
        "missing = lambda name: None if name == 'torch' else find(name)\n"
        "loading.find_spec = extras.find_spec = missing\n"
        "from elmokit import Encoder\n"
        "encoder = Encoder.from_pretrained('elmo-mini')\n"
        "print(encoder.backend, encoder.encode('The bank.', level='sentence', layers='top').shape)\n"
        "for call in (lambda: encoder.encode('a', convert_to_tensor=True),\n"
        "             lambda: Encoder.from_pretrained('elmo-mini', backend='torch')):\n"
        "    try: call()\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
        "import elmokit\n"
        "try: elmokit.ElmoModel\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "onnx (512,)",
        "MissingPackage convert_to_tensor needs torch: pip install -c constraints.txt '.[torch]'",
        "MissingPackage backend 'torch' needs torch: pip install -c constraints.txt '.[torch]'",
        "this needs transformers: pip install -c constraints.txt '.[train]'",
    ]
