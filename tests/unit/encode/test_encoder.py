"""`Encoder`: the right vectors, in the right order, whatever is next to a sentence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elmokit import Encoder
from elmokit.errors import ConfigError, ModelError
from elmokit.models import ElmoConfig, ElmoForSequenceClassification, ElmoModel, ElmoTokenizer
from elmokit.nn.warm_state import warm_up
from elmokit.text.word_rows import ByteRows
from helpers.engines import engine_of

pytestmark = pytest.mark.usefixtures("code_path")

torch.manual_seed(7)
MODEL = ElmoModel(ElmoConfig.preset("tiny"))
ENCODER = Encoder(MODEL)
WORDS = st.sampled_from(["the", "bank", "river", "of", "Zürich", "y" * 60, "日本", "."])


def by_model(sentence: list[str]) -> np.ndarray:
    """(layers, words, dim) of one sentence through the tokenizer and the model."""
    batch = ElmoTokenizer()([sentence], is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        return torch.stack(MODEL.eval()(**batch).hidden_states)[:, 0].numpy()


@given(st.lists(st.lists(WORDS, max_size=9), max_size=8), st.integers(1, 5), st.randoms())
def test_any_batch_any_order_same_vectors(sentences: list[list[str]], batch_size: int, random: Any) -> None:
    order = list(range(len(sentences)))
    random.shuffle(order)
    shuffled = [sentences[number] for number in order]
    arrays = ENCODER.encode(shuffled, is_split_into_words=True, batch_size=batch_size)
    for array, sentence in zip(arrays, shuffled, strict=True):
        assert (array.shape, array.dtype) == ((3, len(sentence), 32), np.float32)
        np.testing.assert_allclose(array, by_model(sentence), atol=1e-5)


def test_layers() -> None:
    (everything,) = ENCODER.encode(["The bank of the river."])
    choices: dict[Any, np.ndarray] = {
        "top": everything[-1], "average": everything.mean(axis=0), "mix": everything.mean(axis=0),
        0: everything[0], 1: everything[1], -1: everything[2], (0, 2): everything[[0, 2]], (-1,): everything[[2]],
        "concat": np.concatenate(list(everything), axis=-1),
    }  # fmt: skip
    for layers, expected in choices.items():
        (array,) = ENCODER.encode(["The bank of the river."], layers=layers)
        np.testing.assert_allclose(array, expected, atol=1e-6, err_msg=str(layers))


@pytest.mark.parametrize("layers", ["all", "top", "mix", 1])
def test_sentence_level_is_the_mean_over_words(layers: Any) -> None:
    texts = ["The bank of the river.", "", "A pitch!"]
    tokens = ENCODER.encode(texts, layers=layers)
    sentences = ENCODER.encode(texts, layers=layers, level="sentence")
    assert sentences.dtype == np.float32
    np.testing.assert_allclose(sentences[0], tokens[0].mean(axis=-2), atol=1e-6)
    np.testing.assert_allclose(sentences[2], tokens[2].mean(axis=-2), atol=1e-6)
    assert not sentences[1].any()


def test_nothing_in_nothing_out() -> None:
    assert ENCODER.encode([]) == []
    assert ENCODER.encode([], level="sentence", layers="top").shape == (0, 32)
    assert [array.shape for array in ENCODER.encode(["", " \n"])] == [(3, 0, 32), (3, 0, 32)]
    assert ENCODER.encode([""], layers="top")[0].shape == (0, 32)


def test_a_generator_over_many_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elmokit.encode.encoder._WINDOW_BATCHES", 2)
    texts = [f"word{number} stands here" for number in range(11)]
    streamed = ENCODER.encode((text for text in texts), batch_size=2, show_progress_bar=True)
    for array, expected in zip(streamed, ENCODER.encode(texts), strict=True):
        np.testing.assert_allclose(array, expected, atol=1e-6)


def test_words_that_come_split_stay_whole() -> None:
    assert ENCODER.encode([["New York", "is"]], is_split_into_words=True)[0].shape[1] == 2
    assert ENCODER.encode(["New York is"])[0].shape[1] == 3


def test_each_distinct_word_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    original = MODEL.network.token_vectors
    monkeypatch.setattr(MODEL.network, "token_vectors", lambda chars: seen.append(len(chars)) or original(chars))
    encoder = Encoder(MODEL)
    encoder.encode(["the bank", "the river", "the bank"], batch_size=1)
    assert sum(seen) == 2 + 3
    encoder.encode(["the old river"])  # what an earlier call brought is still there
    assert sum(seen) == 2 + 4


def test_the_mix_is_that_of_a_saved_classifier(tmp_path: Path) -> None:
    torch.manual_seed(1)
    config = ElmoConfig.preset("tiny", mix_weights=[0.1, 0.2, 0.7], mix_dropout=0.5)
    ElmoForSequenceClassification(config).save_pretrained(tmp_path)
    encoder = Encoder.from_pretrained(tmp_path)
    (everything,), (mixed,) = encoder.encode(["A pitch!"]), encoder.encode(["A pitch!"], layers="mix")
    np.testing.assert_allclose(mixed, np.einsum("l,lwd->wd", [0.1, 0.2, 0.7], everything), atol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_close_and_comes_as_float32(tmp_path: Path, dtype: str) -> None:
    MODEL.save_pretrained(tmp_path)
    encoder = Encoder.from_pretrained(tmp_path, dtype=dtype)
    for layers in ("all", "average", "top"):
        (array,), (expected,) = (e.encode(["The bank."], layers=layers) for e in (encoder, ENCODER))
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, expected, atol=2e-2 * np.abs(expected).max())


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        Encoder.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"Unknown dtype 'int8'\. Expected one of: float32"):
        Encoder.from_pretrained(tmp_path, dtype="int8")
    with pytest.raises(ConfigError, match=r"Unknown layers 3\. Expected .* a number from 0 to 2"):
        ENCODER.encode(["a"], layers=3)
    with pytest.raises(ConfigError, match=r"Unknown layers 3\."):
        ENCODER.encode(["a"], layers=[0, 3])
    with pytest.raises(ConfigError, match=r"layers \[0, -3\] name a layer twice"):
        ENCODER.encode(["a"], layers=[0, -3])
    with pytest.raises(ConfigError, match=r"Unknown layers \[\]"):
        ENCODER.encode(["a"], layers=[])
    with pytest.raises(ConfigError, match="Unknown layers 'best'"):
        ENCODER.encode(["a"], layers="best")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Unknown level 'text'"):
        ENCODER.encode(["a"], level="text")  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="batch_size is 0"):
        ENCODER.encode(["a"], batch_size=0)
    with pytest.raises(ValueError, match=r"A sentence has an empty word: \['a', ''\]; leave out what only pads"):
        ENCODER.encode([["a", ""]], is_split_into_words=True)
    with pytest.raises(ValueError, match="got a mapping, 'text': pass one value"):
        ENCODER.encode({"text": ["a"]})
    with pytest.raises(ValueError, match="For lists of words pass is_split_into_words=True"):
        ENCODER.encode([["a"]])
    with pytest.raises(ValueError, match="expects lists of words; got the text 'a b'"):
        ENCODER.encode([["c"], "a b"], is_split_into_words=True)


def test_layers_are_chosen_by_numbers_of_numpy_too() -> None:
    for layers, same in ((np.int64(1), 1), ([np.int64(0), np.int64(2)], [0, 2]), (np.array([0, -1]), [0, 2])):
        np.testing.assert_array_equal(
            ENCODER.encode("The bank.", layers=layers), ENCODER.encode("The bank.", layers=same)
        )
    for wrong in (True, np.bool_(True), np.array([True]), np.array([0.0]), np.array(["all"])):
        with pytest.raises(ConfigError, match=r"^Unknown layers .* 0 to 2 or, from the top, -1 to -3, or a list"):
            ENCODER.encode("The bank.", layers=wrong)  # type: ignore[arg-type]


def test_likely_first_mistakes_say_what_mends_them() -> None:
    with pytest.raises(ConfigError, match=r"got 'elmo-mini': Encoder\.from_pretrained\('elmo-mini'\) loads a model"):
        Encoder("elmo-mini")  # type: ignore[arg-type]
    for offsets in (False, True):
        with pytest.raises(ValueError, match=r"^the text is .* \(list\); expected one text"):
            ENCODER.words(["a b"], offsets=offsets)  # type: ignore[call-overload]
    for wrong in (None, 5, Path("x.txt"), b"abc"):
        with pytest.raises(ValueError, match=r"^Expected a list of texts, got "):
            ENCODER.encode(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^text 2 is missing \(None\): fill or drop it first\.$"):
        ENCODER.encode(["a", None])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"^text 1 is missing \(None\)"):
        ENCODER.fit_common_component([None])  # type: ignore[list-item]


def test_a_row_of_an_array_of_words_is_a_sentence() -> None:
    words = [["A", "b"], ["c", "d"]]
    for found, expected in zip(
        ENCODER.encode(np.array(words), is_split_into_words=True),
        ENCODER.encode(words, is_split_into_words=True),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@given(st.lists(st.lists(WORDS, max_size=9), max_size=8), st.integers(1, 6), st.sampled_from([1, 2]))
def test_a_full_table_and_any_threads_change_nothing(sentences: list[list[str]], capacity: int, threads: int) -> None:
    encoder = Encoder(MODEL)
    engine_of(encoder).table.capacity = capacity
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for _ in range(2):
            for sentence in sentences:
                (array,) = encoder.encode([sentence], is_split_into_words=True)
                np.testing.assert_allclose(array, by_model(sentence), atol=1e-5)
    finally:
        torch.set_num_threads(before)
    assert len(engine_of(encoder).table) <= max(capacity, 9)


def test_the_table_forgets_the_word_that_was_used_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder(MODEL)
    engine_of(encoder).table.capacity = 3
    encoder.encode([["a", "b", "c"]], is_split_into_words=True)
    encoder.encode([["a", "d"]], is_split_into_words=True)  # b goes
    seen: list[int] = []
    original = MODEL.network.token_vectors
    monkeypatch.setattr(MODEL.network, "token_vectors", lambda rows: seen.append(len(rows)) or original(rows))
    encoder.encode([["a", "c", "d"]], is_split_into_words=True)
    assert seen == []
    encoder.encode([["b"]], is_split_into_words=True)
    assert seen == [1]


@pytest.mark.parametrize("length", [1, 7, 8, 20, 23])
@pytest.mark.parametrize("state", ["zero", "warm"])
def test_a_long_text_in_pieces_is_one_long_pass(length: int, state: Any) -> None:
    model = ElmoModel(ElmoConfig.preset("tiny"))
    warm_up(model, ByteRows(50))
    words = [f"w{number % 11}" for number in range(length)]
    whole = Encoder(model, state=state).encode([words, ["the"]], is_split_into_words=True)
    encoder = Encoder(model, state=state)
    engine_of(encoder).words_per_batch = 8
    pieces = encoder.encode([words, ["the"]], is_split_into_words=True)
    for array, expected in zip(pieces, whole, strict=True):
        np.testing.assert_allclose(array, expected, atol=1e-6)


def test_a_stream_is_read_as_it_is_needed() -> None:
    read: list[int] = []

    def sentences() -> Any:
        for number in range(10_000):
            read.append(number)
            yield ["the", "bank"]

    stream = ENCODER.stream(sentences(), batch_size=4, is_split_into_words=True)
    assert next(stream).shape == (3, 2, 32)
    assert len(read) < 1000
    assert not torch.is_inference_mode_enabled()


def test_warm_state_is_the_state_after_its_text() -> None:
    model = ElmoModel(ElmoConfig.preset("tiny"))
    carried = Encoder(model, state="carry")
    for _ in range(2):
        carried.encode([["the", "bank"]], is_split_into_words=True)
    (expected,) = carried.encode([["a", "river"]], is_split_into_words=True)
    warm_up(model, ByteRows(50), [["the", "bank"]], passes=2)
    (array,) = Encoder(model).encode([["a", "river"]], is_split_into_words=True)
    np.testing.assert_allclose(array, expected, atol=1e-6)


def test_states_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="Unknown state 'cold'"):
        Encoder(MODEL, state="cold")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="contains no warm state"):
        Encoder(MODEL, state="warm")
    with pytest.raises(ConfigError, match="one batch; got 3 with batch_size 2"):
        Encoder(MODEL, state="carry").encode(["a", "b", "c"], batch_size=2)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_halved_types_are_close(tmp_path: Path, dtype: str) -> None:
    MODEL.save_pretrained(tmp_path)
    half = Encoder.from_pretrained(tmp_path, dtype=dtype).encode(["The bank of the river."])[0]
    exact = ENCODER.encode(["The bank of the river."])[0]
    assert half.dtype == np.float32
    assert np.linalg.norm(half - exact) / np.linalg.norm(exact) < 1e-2


def test_an_encoded_model_saves_and_trains_as_before(tmp_path: Path) -> None:
    """The encoder turns weights in memory; nothing else may notice."""
    torch.manual_seed(5)
    plain, encoded = (ElmoModel(ElmoConfig.preset("tiny", dropout=0.0)) for _ in range(2))
    encoded.load_state_dict(plain.state_dict())
    Encoder(encoded).encode(["the bank"])
    encoded.save_pretrained(tmp_path)
    again = ElmoModel.from_pretrained(tmp_path)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    batch = ElmoTokenizer()(["the bank of the river", "a cell"], padding=True, return_tensors="pt")
    for model in (plain, encoded):
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)
        for _ in range(3):
            model(**batch).last_hidden_state.square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(encoded.state_dict()[name], tensor, atol=1e-5, rtol=1e-5, msg=name)


def test_unpaired_surrogates_and_overlong_words_have_vectors() -> None:
    (array,) = ENCODER.encode([["\ud800bank", "x" * 10_000, "\0"]], is_split_into_words=True)
    (same,) = ENCODER.encode([["\ufffdbank", "x" * 48, "\0"]], is_split_into_words=True)
    np.testing.assert_array_equal(array, same)  # U+FFFD as in files; cut at 48 bytes as the reference does


def test_threads_may_share_an_encoder() -> None:
    encoder = Encoder(MODEL)
    engine_of(encoder).table.capacity = 4
    sentences = [[f"w{(number * 7 + place) % 23}" for place in range(6)] for number in range(40)]
    expected = [by_model(sentence) for sentence in sentences]
    with ThreadPoolExecutor(4) as pool:
        arrays = list(pool.map(lambda words: encoder.encode([words], is_split_into_words=True)[0], sentences * 3))
    for array, right in zip(arrays, expected * 3, strict=True):
        np.testing.assert_allclose(array, right, atol=1e-5)


def test_changed_weights_need_a_cleared_cache() -> None:
    model = ElmoModel(ElmoConfig.preset("tiny"))
    encoder = Encoder(model)
    before = encoder.encode(["the bank"])[0]
    with torch.no_grad():
        model.token_encoder.embedding.weight[1:].mul_(2)
    encoder.clear_cache()
    np.testing.assert_allclose(encoder.encode(["the bank"])[0], Encoder(model).encode(["the bank"])[0], atol=1e-6)
    assert np.abs(encoder.encode(["the bank"])[0] - before).max() > 1e-3


def test_words_that_are_none_leave_the_table_whole() -> None:
    encoder = Encoder(MODEL)
    for _ in range(3):
        with pytest.raises(ValueError, match=r"^word 2 of text 1 is '3' \(int\); expected text"):
            encoder.encode([["the", 3]], is_split_into_words=True)  # type: ignore[list-item]
    assert len(engine_of(encoder).table) == 0
    carried = Encoder(MODEL, state="carry")
    assert carried.encode([]) == []


def test_the_fingerprint_tells_mixes_apart(tmp_path: Path) -> None:
    found = set()
    for weights in ([0.1, 0.2, 0.7], [0.7, 0.2, 0.1]):
        torch.manual_seed(1)
        folder = tmp_path / str(weights[0])
        ElmoForSequenceClassification(ElmoConfig.preset("tiny", mix_weights=weights)).save_pretrained(folder)
        found |= {Encoder.from_pretrained(folder).fingerprint() for _ in range(2)}
    assert len(found) == 2


def test_one_text_alone_and_a_series_as_a_list() -> None:
    pd = pytest.importorskip("pandas")
    expected = ENCODER.encode(["a b"])
    np.testing.assert_array_equal(ENCODER.encode("a b"), expected[0])
    for texts in (pd.Series(["a b"]), pd.DataFrame({"text": ["a b"]})):
        np.testing.assert_array_equal(ENCODER.encode(texts)[0], expected[0])


def test_a_mix_that_is_none_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    encoder = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
    for _ in range(2):
        np.testing.assert_array_equal(
            encoder.encode(["a b"], layers="mix")[0], encoder.encode(["a b"], layers="average")[0]
        )
    assert len([record for record in caplog.records if "no trained layer mix" in record.message]) == 1


def test_surprisal_takes_what_encode_takes(tmp_path: Path) -> None:
    from helpers.web_models import save_bilm

    folder = save_bilm(tmp_path)
    encoder = Encoder.from_pretrained(folder)
    assert encoder.score("the bank")[0].words == ["the", "bank"]  # one text is a list of one
    whole = encoder.score(pytest.importorskip("pandas").Series(["the bank", "cell"]))
    assert [score.words for score in whole] == [["the", "bank"], ["cell"]]
