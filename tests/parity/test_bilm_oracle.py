"""Our network against the NumPy oracle, every option on and off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.nn.bilm import BiLM, State
from elmokit.nn.char_cnn import CharCNN
from elmokit.nn.lstm import ProjectedLSTM
from elmokit.nn.packing import Packing
from elmokit.text.char_ids import char_ids
from helpers import oracle
from helpers.published_layout import load_bilm, load_char_cnn, published_bilm, published_char_cnn

pytestmark = pytest.mark.usefixtures("code_path")

TOLERANCE = 1e-5  # float32 against the oracle's float64

clips = st.sampled_from([None, 0.05, 0.2, 3.0])  # the first ones bite
seeds = st.integers(0, 2**31)
words = st.one_of(st.text(max_size=8), st.text(min_size=40, max_size=70), st.sampled_from(["a", "", "<S>", "é" * 24]))
batches = st.lists(st.lists(words, max_size=5), min_size=0, max_size=4)


Module = TypeVar("Module", bound=torch.nn.Module)


@st.composite
def char_cnns(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of a `CharCNN`; one in two has as many filters as the vector has numbers, and so no projection."""
    widths = draw(st.lists(st.integers(1, 7), min_size=1, max_size=3))
    filters = [[width, draw(st.integers(1, 5))] for width in widths]
    total = sum(count for _, count in filters)
    return {
        "filters": filters, "embedding_dim": draw(st.integers(1, 5)), "n_highway": draw(st.integers(0, 2)),
        "activation": draw(st.sampled_from(["relu", "tanh"])),
        "projection_dim": total if draw(st.booleans()) else draw(st.integers(1, 6)),
        "max_characters": draw(st.sampled_from([50, 50, 12])),
    }  # fmt: skip


@st.composite
def bilms(draw: st.DrawFn, *, token_dim: int | None = None) -> dict[str, Any]:
    """Settings of a `BiLM`, with or without the projection of the cells."""
    size = draw(st.integers(1, 5)) if token_dim is None else token_dim
    projected = draw(st.booleans())
    return {
        "input_dim": size, "cell_dim": size + draw(st.integers(1, 4)) if projected else size,
        "projection_dim": size if projected else None, "n_layers": draw(st.integers(1, 3)),
        "directions": draw(st.integers(1, 2)), "use_skip_connections": draw(st.booleans()),
        "cell_clip": draw(clips), "proj_clip": draw(clips),
    }  # fmt: skip


def shaken(module: Module, seed: int) -> Module:
    """The module with every parameter at random: as initialised, biases are zero and hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.7)
        for part in module.modules():
            if isinstance(part, CharCNN):
                part.embedding.weight[0] = 0.0
    return module.eval()


def cnn_options(given_: dict[str, Any]) -> dict[str, Any]:
    return {
        "char_cnn": {
            "activation": given_["activation"], "filters": given_["filters"], "n_highway": given_["n_highway"],
            "max_characters_per_token": given_["max_characters"],
        }
    }  # fmt: skip


def lstm_options(given_: dict[str, Any]) -> dict[str, Any]:
    return {
        "lstm": {
            "dim": given_["cell_dim"], "n_layers": given_["n_layers"], "cell_clip": given_["cell_clip"],
            "proj_clip": given_["proj_clip"], "use_skip_connections": given_["use_skip_connections"],
        }
    }  # fmt: skip


def error(ours: Tensor | NDArray[Any], theirs: NDArray[np.float64]) -> float:
    """The largest difference, relative where numbers are above 1 (biLM vectors are not); shapes must agree."""
    ours = ours.detach().numpy() if isinstance(ours, Tensor) else ours
    assert ours.shape == theirs.shape
    return float((np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))).max(initial=0.0))


def sentence_states(state: State, sentence: int) -> oracle.State:
    """One sentence's part of a batch's state, as the oracle takes it."""
    h, c = (part.detach().double().numpy() for part in state)  # (layers, D, B, ·)
    return [[(h[n, d, sentence], c[n, d, sentence]) for n in range(h.shape[0])] for d in range(h.shape[1])]


def state_error(state: State, sentence: int, expected: oracle.State) -> float:
    ours = sentence_states(state, sentence)
    pairs = [pair for mine, theirs in zip(ours, expected, strict=True) for pair in zip(mine, theirs, strict=True)]
    return max(error(a, b) for mine, theirs in pairs for a, b in zip(mine, theirs, strict=True))


def random_state(module: BiLM, batch: int, seed: int) -> State:
    generator = torch.Generator().manual_seed(seed)
    return State(*[torch.randn(part.shape, generator=generator) * 0.5 for part in module.zero_state(batch)])


@given(settings_=char_cnns(), seed=seeds, texts=st.lists(words, min_size=0, max_size=8))
def test_char_cnn(settings_: dict[str, Any], seed: int, texts: list[str]) -> None:
    module = shaken(CharCNN(**settings_), seed)
    options, arrays = cnn_options(settings_), published_char_cnn(module)
    length = settings_["max_characters"]
    ids = [oracle.word_ids(word, length) for word in map(repaired, texts)]
    ids += [oracle.marker_ids("<S>", length), oracle.marker_ids("</S>", length), [0] * length]
    ours = module(torch.tensor(ids, dtype=torch.int16))
    expected = np.array([oracle.token_vector(word, arrays, options) for word in ids])
    assert error(ours, expected) <= TOLERANCE


def repaired(word: str) -> str:
    """Lone surrogates have no UTF-8; our reader makes U+FFFD of them."""
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in word)


@given(settings_=bilms(), seed=seeds, lengths=st.lists(st.integers(0, 7), min_size=1, max_size=5))
def test_projected_lstm(settings_: dict[str, Any], seed: int, lengths: list[int]) -> None:
    """One layer, packed rows in and out, states given and returned, without the help of `BiLM`."""
    names = ("input_dim", "cell_dim", "projection_dim", "directions", "cell_clip", "proj_clip")
    module = shaken(ProjectedLSTM(**{name: settings_[name] for name in names}), seed)
    bilm = BiLM(**{**settings_, "n_layers": 1})
    bilm.layers[0].load_state_dict(module.state_dict())
    arrays, options = published_bilm(bilm), lstm_options({**settings_, "n_layers": 1})
    lengths.sort(reverse=True)
    directions, batch, generator = settings_["directions"], len(lengths), torch.Generator().manual_seed(seed + 1)
    # Sequences are given in each direction's own reading order.
    sequences = torch.randn(directions, batch, 7, settings_["input_dim"], generator=generator)
    batch_sizes = [sum(length > step for length in lengths) for step in range(lengths[0])]
    places = [(row, step) for step, size in enumerate(batch_sizes) for row in range(size)]
    packed = torch.stack([sequences[:, row, step] for row, step in places], dim=1) if places else sequences[:, :0, 0]
    h, c = (part[0] for part in random_state(bilm, batch, seed))
    outputs, final = module(packed, batch_sizes, (h, c))
    for d in range(directions):
        for row, length in enumerate(lengths):
            state = [(h[d, row].double().numpy(), c[d, row].double().numpy())]
            tokens = sequences[d, row, :length].double().numpy()
            tokens = tokens if d == 0 else tokens[::-1]  # the oracle reads backwards itself
            expected, carried = oracle.run_direction(tokens, state, d, weights=arrays, options=options)
            rows = [outputs[d, number] for number, place in enumerate(places) if place[0] == row]
            mine = torch.stack(rows) if rows else outputs[d, :0]
            assert error(mine, expected[0] if d == 0 else expected[0][::-1]) <= TOLERANCE
            assert error(final[0][d, row], carried[0][0]) <= TOLERANCE
            assert error(final[1][d, row], carried[0][1]) <= TOLERANCE


@given(
    settings_=bilms(), seed=seeds, lengths=st.lists(st.integers(0, 7), max_size=5), padding=st.integers(0, 2),
    with_state=st.booleans(),
)  # fmt: skip
def test_bilm(settings_: dict[str, Any], seed: int, lengths: list[int], padding: int, with_state: bool) -> None:
    module = shaken(BiLM(**settings_), seed)
    arrays, options, directions = published_bilm(module), lstm_options(settings_), settings_["directions"]
    batch, time = len(lengths), max(lengths, default=0) + padding
    tokens = torch.randn(batch, time, settings_["input_dim"], generator=torch.Generator().manual_seed(seed + 1))
    start = random_state(module, batch, seed) if with_state else None
    layers, final = module(tokens, lengths, state=start)
    assert [layer.shape for layer in layers] == [(batch, time, directions * module.output_dim)] * len(module.layers)
    for row, length in enumerate(lengths):
        given_ = None if start is None else sentence_states(start, row)
        expected, carried = oracle.run_sentence(
            tokens[row, :length].double().numpy(), weights=arrays, options=options, state=given_, directions=directions
        )
        for layer, reference in zip(layers, expected[1:], strict=True):
            assert error(layer[row, :length], reference) <= TOLERANCE
            assert not layer[row, length:].any()
        assert state_error(final, row, carried) <= TOLERANCE


@given(settings_=bilms(), seed=seeds, lengths=st.lists(st.integers(0, 7), min_size=1, max_size=5))
def test_bilm_packed_with_given_state(settings_: dict[str, Any], seed: int, lengths: list[int]) -> None:
    """`forward_packed` takes rows and states sorted by length, and is what pretraining runs."""
    module = shaken(BiLM(**settings_), seed)
    tokens = torch.randn(len(lengths), 7, settings_["input_dim"], generator=torch.Generator().manual_seed(seed + 1))
    start = random_state(module, len(lengths), seed)
    packing = Packing.of(lengths, stride=7)
    positions = [packing.forward, packing.backward][: settings_["directions"]]
    packed = torch.stack([tokens.flatten(0, 1)[place] for place in positions])
    order = packing.order
    outputs, final = module.forward_packed(
        packed, packing.batch_sizes, state=State(start.h[:, :, order], start.c[:, :, order])
    )
    for rank, row in enumerate(order.tolist()):
        expected, carried = oracle.run_sentence(
            tokens[row, : lengths[row]].double().numpy(), weights=published_bilm(module),
            options=lstm_options(settings_), state=sentence_states(start, row), directions=settings_["directions"],
        )  # fmt: skip
        assert state_error(final, rank, carried) <= TOLERANCE
        for output, reference in zip(outputs, expected[1:], strict=True):
            for d, place in enumerate(positions):
                inside = (place >= row * 7) & (place < row * 7 + 7)
                steps = place[inside] - row * 7  # where in the sentence each packed row stands
                half = reference[:, d * module.output_dim : (d + 1) * module.output_dim]
                assert error(output[d][inside], half[steps.numpy()]) <= TOLERANCE


@st.composite
def models(draw: st.DrawFn) -> ElmoConfig:
    cnn = draw(char_cnns())
    lstm = draw(bilms(token_dim=cnn["projection_dim"]))
    return ElmoConfig(
        filters=cnn["filters"], char_embedding_dim=cnn["embedding_dim"], n_highway=cnn["n_highway"],
        char_cnn_activation=cnn["activation"], max_characters_per_token=cnn["max_characters"],
        projection_dim=cnn["projection_dim"], cell_dim=lstm["cell_dim"],
        **{name: lstm[name] for name in ("n_layers", "directions", "use_skip_connections", "cell_clip", "proj_clip")},
    )  # fmt: skip


def options_of(config: ElmoConfig) -> dict[str, Any]:
    return {
        "char_cnn": {
            "activation": config.char_cnn_activation, "filters": config.filters, "n_highway": config.n_highway,
            "max_characters_per_token": config.max_characters_per_token,
        },
        "lstm": {
            "dim": config.cell_dim, "n_layers": config.n_layers, "cell_clip": config.cell_clip,
            "proj_clip": config.proj_clip, "use_skip_connections": config.use_skip_connections,
        },
    }  # fmt: skip


def padded_ids(sentences: Sequence[Sequence[str]], max_characters: int, *, extra: int = 0) -> Tensor:
    """(B, W, L) by our own reader, rows of 0 in the padding."""
    longest = max(map(len, sentences), default=0) + extra
    ids = torch.zeros(len(sentences), longest, max_characters, dtype=torch.int16)
    for row, sentence in zip(ids, sentences, strict=True):
        row[: len(sentence)] = torch.from_numpy(char_ids(sentence, max_characters=max_characters))
    return ids


def arrays_of(model: ElmoModel) -> dict[str, NDArray[np.float64]]:
    return published_char_cnn(cast(CharCNN, model.token_encoder)) | published_bilm(model.bilm)


@given(config=models(), seed=seeds, sentences=batches, extra=st.integers(0, 2))
def test_elmo_model_from_characters(config: ElmoConfig, seed: int, sentences: list[list[str]], extra: int) -> None:
    model = shaken(ElmoModel(config), seed)
    arrays, options = arrays_of(model), options_of(config)
    ids = padded_ids(sentences, config.max_characters_per_token, extra=extra)
    output = model(ids)
    assert output.mask.sum(1).tolist() == [len(sentence) for sentence in sentences]
    assert len(output.hidden_states) == config.n_layers + 1
    ours = torch.stack(output.hidden_states, dim=1)  # (B, layers, W, D)
    for row, sentence in enumerate(sentences):
        expected, _ = oracle.embed_sentence(
            [repaired(word) for word in sentence], weights=arrays, options=options, directions=config.directions
        )
        assert error(ours[row, :, : len(sentence)], expected) <= TOLERANCE
        assert not ours[row, :, len(sentence) :].any()


# What the public fixtures do not catch -------------------------------------------------------------------------------


@pytest.fixture
def tiny() -> ElmoModel:
    return shaken(ElmoModel(ElmoConfig.preset("tiny", n_layers=2, cell_clip=0.5, proj_clip=0.1)), 11)


@pytest.mark.parametrize(
    "word",
    ["x" * 48, "x" * 49, "x" * 10_000, "Ā" * 24, "x" + "Ā" * 24, "語" * 17],
    ids=["48", "49", "10000", "24 of two bytes", "cut in two bytes", "17 of three bytes"],
)
def test_words_are_cut_at_48_bytes(tiny: ElmoModel, word: str) -> None:
    """In the middle of a character too."""
    cut = word.encode()[:48]
    ids = char_ids([word])[0].tolist()
    assert ids == oracle.word_ids(word)
    assert ids == [259, *(byte + 1 for byte in cut), 260] + [261] * (48 - len(cut))
    expected, _ = oracle.embed_sentence([word, "b"], weights=arrays_of(tiny), options=options_of(tiny.config))
    ours = torch.stack(tiny(padded_ids([[word, "b"]], 50)).hidden_states)[:, 0]
    assert error(ours, expected) <= TOLERANCE


def test_bytes_beyond_the_48th_change_nothing(tiny: ElmoModel) -> None:
    one, other, shorter = tiny(padded_ids([["x" * 48], ["x" * 48 + "y"], ["x" * 47]], 50)).last_hidden_state
    assert torch.equal(one, other)
    assert not torch.allclose(one, shorter)


def test_projection_clip_bites_and_is_the_oracles(tiny: ElmoModel) -> None:
    sentence = ["the", "bank", "of", "the", "river"]
    options = options_of(tiny.config)
    expected, state = oracle.embed_sentence(sentence, weights=arrays_of(tiny), options=options)
    ours = torch.stack(tiny(padded_ids([sentence], 50)).hidden_states)[:, 0]
    assert error(ours, expected) <= TOLERANCE
    assert np.isclose(np.abs(expected[1]), 0.1).mean() > 0.3  # it bites often
    assert max(np.abs(h).max() for direction in state for h, _ in direction) <= 0.1
    unclipped = {**options, "lstm": {**options["lstm"], "proj_clip": None}}
    without, _ = oracle.embed_sentence(sentence, weights=arrays_of(tiny), options=unclipped)
    assert np.abs(without - expected).max() > 0.1  # and leaving it out would show


def test_projection_clip_is_for_projections_only() -> None:
    """A cell without a projection has no projection clip (TensorFlow's `LSTMCell`)."""
    common: dict[str, Any] = {"input_dim": 4, "cell_dim": 4, "projection_dim": None, "cell_clip": None}
    module = shaken(BiLM(**common, proj_clip=0.01), 3)
    free = BiLM(**common, proj_clip=None)
    free.load_state_dict(module.state_dict())
    tokens = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    for clipped, plain in zip(module(tokens, [5, 3])[0], free(tokens, [5, 3])[0], strict=True):
        assert torch.equal(clipped, plain)


def test_skip_connections_stay_out_of_the_carried_state() -> None:
    module = shaken(BiLM(input_dim=4, cell_dim=6, projection_dim=4, cell_clip=None, proj_clip=None), 5)
    tokens = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(1))
    layers, state = module(tokens, [6])
    first, second = layers[0][0], layers[1][0]  # (T, 2P)
    # At each direction's last step the output is the state plus the layer's input: the layer below, not the tokens.
    assert torch.allclose(second[-1, :4], state.h[1, 0, 0] + first[-1, :4], atol=1e-6)
    assert torch.allclose(second[0, 4:], state.h[1, 1, 0] + first[0, 4:], atol=1e-6)
    assert torch.equal(first[-1, :4], state.h[0, 0, 0])
    # Inside the layer too: the second half run from the carried state is what one run gives.
    start, middle = module(tokens[:, :3], [3])
    rest, _ = module(tokens[:, 3:], [3], state=middle)
    assert torch.allclose(rest[1][:, :, :4], layers[1][:, 3:, :4], atol=1e-6)
    assert torch.allclose(start[1][:, :, :4], layers[1][:, :3, :4], atol=1e-6)


@settings(max_examples=20)
@given(settings_=bilms(), seed=seeds)
def test_published_layout_round_trip(settings_: dict[str, Any], seed: int) -> None:
    """The converter itself: out and in again gives the same tensors, the forget bias once outside and once inside."""
    module, copy = shaken(BiLM(**settings_), seed), BiLM(**settings_)
    arrays = published_bilm(module)
    load_bilm(copy, arrays)
    for name, tensor in module.state_dict().items():
        assert torch.allclose(copy.state_dict()[name], tensor, atol=1e-7), name
    fresh = published_bilm(BiLM(**settings_))
    assert all(not bias.any() for name, bias in fresh.items() if name.endswith("/B"))


def test_published_layout_round_trip_of_the_char_cnn() -> None:
    settings_: dict[str, Any] = {"filters": [[1, 3], [3, 2]], "projection_dim": 4, "n_highway": 2}
    module, copy = shaken(CharCNN(**settings_), 1), CharCNN(**settings_)
    load_char_cnn(copy, published_char_cnn(module))
    assert all(torch.equal(copy.state_dict()[name], tensor) for name, tensor in module.state_dict().items())
