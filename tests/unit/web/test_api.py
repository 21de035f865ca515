"""Every path of the API, against the `Encoder` and the `Classifier` asked directly."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient

from elmokit.cosines import unit
from elmokit.encode.encoder import Encoder
from elmokit.tasks.classification.attribution import integrated_gradients, occlusion
from elmokit.tasks.classification.predict import Classifier
from elmokit.web.app import create_app
from elmokit.web.loaded import Loaded
from helpers.web_models import CORPUS, WORDS, static_vectors, study

SENTENCES = ["The bank of the river was wet.", "A bank lends money.", "They robbed a bank."]


def post(client: TestClient, path: str, **body: Any) -> Any:
    answer = client.post(f"/api/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def use_vectors(encoder: Encoder, sentences: list[str], word: str = "bank") -> np.ndarray:
    """(L, n, D)."""
    words = [encoder.words(sentence) for sentence in sentences]
    arrays = encoder.encode(words, is_split_into_words=True)
    return np.stack([array[:, each.index(word)] for array, each in zip(arrays, words, strict=True)], axis=1)


@pytest.mark.parametrize("layers", ["all", "top", "average", "mix", 0, -1])
@pytest.mark.parametrize("level", ["token", "sentence"])
@pytest.mark.parametrize("encoding", ["list", "base64"])
def test_embed_gives_the_encoders_vectors(
    client: TestClient, encoder: Encoder, layers: Any, level: Any, encoding: str
) -> None:
    sentences: list[Any] = [*SENTENCES, ["New York", "is", "wet"]]
    found = post(client, "embed", sentences=sentences, layers=layers, level=level, encoding=encoding)
    words = [encoder.words(each) if isinstance(each, str) else each for each in sentences]
    expected = list(encoder.encode(words, layers=layers, level=level, is_split_into_words=True))
    assert found["encoding"] == encoding
    for each, split, array in zip(found["sentences"], words, expected, strict=True):
        assert (each["words"], each["shape"]) == (split, list(array.shape))
        vectors = each["vectors"]
        if encoding == "base64":
            vectors = np.frombuffer(base64.b64decode(vectors), dtype="<f4").reshape(each["shape"])
        np.testing.assert_allclose(np.asarray(vectors), array, atol=1e-5)


def test_a_text_without_words_is_answered_as_the_encoder_does(client: TestClient, encoder: Encoder) -> None:
    texts: list[Any] = ["", "  ", [], "A bank."]
    for level in ("token", "sentence"):
        found = post(client, "embed", sentences=texts, layers="top", level=level)["sentences"]
        expected = encoder.encode(["", "", "", "A bank."], layers="top", level=level)
        assert [each["shape"] for each in found] == [list(array.shape) for array in expected]
    scored = post(client, "score", sentences=["", "A bank."])["sentences"]
    assert (scored[0]["words"], scored[0]["forward"]) == ([], [])
    assert scored[0]["perplexity"] == pytest.approx(encoder.score([""])[0].perplexity, rel=1e-5)


def test_senses_are_cosines_and_a_plane_of_every_layer(client: TestClient, encoder: Encoder) -> None:
    uses = [{"sentence": each, "sense": sense} for each, sense in zip(SENTENCES, "abb", strict=True)]
    found = post(client, "senses", word="Bank", uses=uses)
    vectors = use_vectors(encoder, SENTENCES)
    assert [use["place"] for use in found["uses"]] == [1, 1, 3]
    assert [view["name"] for view in found["views"]] == ["tokens", *(f"LSTM {n}" for n in range(1, encoder.n_layers))]
    for view, layer in zip(found["views"], vectors, strict=True):
        similarity = unit(layer) @ unit(layer).T
        np.testing.assert_allclose(view["similarity"], similarity, atol=1e-4)
        points = np.asarray(view["points"])
        assert points.shape == (3, 2)
        # three points lie on a plane: their distances are all there
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        np.testing.assert_allclose(apart, np.linalg.norm(layer[:, None] - layer[None], axis=2), atol=1e-4)
    assert found["views"][0]["points"] == [[0, 0]] * 3  # the token layer has one point for all uses
    assert found["views"][0]["explained"] == [0, 0]
    assert sum(found["views"][-1]["explained"]) == pytest.approx(1)
    nearest = np.asarray(found["views"][-1]["similarity"]) - 2 * np.eye(3)
    assert found["views"][-1]["agreement"] == np.mean([nearest[1].argmax() == 2, nearest[2].argmax() == 1])


def test_senses_of_a_corpus_by_tsne(client: TestClient, loaded: Loaded) -> None:
    (corpus,) = loaded.corpora
    found = post(client, "senses", word="bank", corpus=corpus, method="tsne", uses=[{"sentence": "Any bank."}])
    assert found["method"] == "tsne"
    assert [use["source"] for use in found["uses"]] == ["given", *["corpus"] * 4]
    assert found["views"][-1]["explained"] is None
    assert np.isfinite(found["views"][-1]["points"]).all()
    again = post(client, "senses", word="bank", corpus=corpus, method="tsne", uses=[{"sentence": "Any bank."}])
    assert again == found
    few = post(client, "senses", word="bank", corpus=corpus, method="tsne", most=4)
    assert (few["method"], len(few["uses"])) == ("pca", 4)


def test_the_static_vector_is_one_point(client: TestClient) -> None:
    found = post(client, "senses", word="bank", uses=[{"sentence": SENTENCES[0]}])["static"]
    expected = static_vectors().nearest("bank", 12)
    assert [each["word"] for each in found["neighbours"]] == [word for word, _ in expected]
    np.testing.assert_allclose([each["cosine"] for each in found["neighbours"]], [c for _, c in expected], atol=1e-4)
    assert len(found["points"]) == len(WORDS)
    unknown = post(client, "senses", word="robbed", uses=[{"sentence": SENTENCES[2]}])["static"]
    assert unknown == {"word": "robbed", "known": False, "neighbours": [], "points": []}


def test_neighbours_are_the_nearest_uses(client: TestClient, encoder: Encoder) -> None:
    found = post(client, "neighbours", sentence=SENTENCES[1], word="bank", k=2)
    lines = [line.split() for line in CORPUS if "bank" in line.lower()]
    arrays = encoder.encode(lines, is_split_into_words=True)
    places = [[word.lower() for word in line].index("bank") for line in lines]
    vectors = np.stack([array[:, place] for array, place in zip(arrays, places, strict=True)], axis=1)
    here = use_vectors(encoder, SENTENCES[1:2])
    assert (found["found"], found["searched"]) == (4, 4)
    for number, view in enumerate(found["views"]):
        cosines = unit(vectors[number]) @ unit(here[number, 0])
        cosines[lines.index(["A", "bank", "lends", "money", "."])] = -2  # the use itself
        best = np.argsort(-cosines, kind="stable")[:2]
        assert [found["uses"][each["use"]]["words"] for each in view["neighbours"]] == [lines[n] for n in best]
        np.testing.assert_allclose([each["cosine"] for each in view["neighbours"]], cosines[best], atol=1e-4)
    nothing = post(client, "neighbours", sentence="A zebra", place=1)
    assert (nothing["found"], nothing["uses"], nothing["views"][0]["neighbours"]) == (0, [], [])


def test_scores_are_the_encoders(client: TestClient, encoder: Encoder) -> None:
    found = post(client, "score", sentences=[*SENTENCES, ["the", "cell"]])["sentences"]
    for each, score in zip(found, encoder.score([*SENTENCES, "the cell"]), strict=True):
        assert (each["words"], each["known"]) == (score.words, score.known.tolist())
        for name in ("forward", "backward", "mean"):
            np.testing.assert_allclose(each[name], getattr(score, name), atol=1e-4)
        assert each["perplexity"] == pytest.approx(score.perplexity, rel=1e-5)


def test_substitutes_fill_the_blank(client: TestClient, encoder: Encoder) -> None:
    found = post(client, "substitutes", sentence="The ___ was wet.", k=3)
    expected = encoder.substitutes(["The", "bank", "was", "wet", "."], 1, k=3)
    assert (found["place"], [each["word"] for each in found["substitutes"]]) == (1, [each.word for each in expected])
    assert found["substitutes"][0]["forward"] == pytest.approx(expected[0].forward, rel=1e-4)
    assert post(client, "substitutes", sentence=["the", "bank"], place=1)["place"] == 1


def test_classify_labels_and_explains(client: TestClient, classifier: Classifier) -> None:
    plain = post(client, "classify", texts=SENTENCES)["texts"]
    for each, labels in zip(plain, classifier.predict(SENTENCES), strict=True):
        assert [label["label"] for label in each["labels"]] == [label.label for label in labels]
        np.testing.assert_allclose([x["probability"] for x in each["labels"]], [x[1] for x in labels], rtol=1e-5)
        assert (each["explanation"], each["cut"]) == (None, False)
    for method, direct in (("gradients", integrated_gradients), ("occlusion", occlusion)):
        (found,) = post(client, "classify", texts=SENTENCES[:1], explain=method, label="water")["texts"]
        expected = direct(classifier, SENTENCES[0], label="water")
        assert (found["explanation"]["label"], found["words"]) == ("water", expected.words)
        np.testing.assert_allclose(found["explanation"]["scores"], expected.scores, atol=1e-4)
    (long,) = post(client, "classify", texts=["bank " * 200])["texts"]
    assert (len(long["words"]), long["cut"]) == (128, True)


def test_blank_texts_keep_their_place_and_have_no_labels(client: TestClient) -> None:
    (bank,) = post(client, "classify", texts=["A bank."], explain="gradients")["texts"]
    found = post(client, "classify", texts=["", "A bank.", " \n"], explain="gradients")["texts"]
    blank = {"words": [], "cut": False, "labels": [], "explanation": None}
    assert (found[0], found[2]) == (blank, blank)
    assert found[1]["words"] == bank["words"]
    assert [label["label"] for label in found[1]["labels"]] == [label["label"] for label in bank["labels"]]
    assert post(client, "classify", texts=[""])["texts"] == [blank]


def test_layers_of_a_sentence(client: TestClient, encoder: Encoder, classifier: Classifier) -> None:
    found = post(client, "layers", sentence=SENTENCES[0], place=1)
    (array,) = encoder.encode(SENTENCES[:1])
    for view, layer in zip(found["views"], array, strict=True):
        np.testing.assert_allclose(view["norms"], np.linalg.norm(layer, axis=1), atol=1e-4)
        np.testing.assert_allclose(view["similarity"], unit(layer) @ unit(layer[1]), atol=1e-4)
    np.testing.assert_allclose(found["between"], unit(array[:, 1]) @ unit(array[:, 1]).T, atol=1e-4)
    mix = classifier.model.mix.weights()
    assert mix is not None
    np.testing.assert_allclose(found["mix"]["lambdas"], mix[0], rtol=1e-5)
    assert found["mix"]["gamma"] == pytest.approx(mix[1])
    assert found["mixed"] == post(client, "classify", texts=SENTENCES[:1])["texts"][0]["labels"]
    assert [verdict["layer"] for verdict in found["alone"]] == list(range(encoder.n_layers))


def test_a_model_with_a_mix_shows_it_as_a_layer(classifier_folder: Path) -> None:
    encoder = Encoder.from_pretrained(classifier_folder)
    with TestClient(create_app(Loaded(encoder)), base_url="http://127.0.0.1") as client:
        found = post(client, "layers", sentence=SENTENCES[0], place=1)
        assert found["views"][-1]["name"] == "mix"
        (mixed,) = encoder.encode(SENTENCES[:1], layers="mix")
        np.testing.assert_allclose(found["views"][-1]["norms"], np.linalg.norm(mixed, axis=1), atol=1e-4)
        assert (found["mix"]["source"], found["alone"]) == ("model", None)
        senses = post(client, "senses", word="bank", uses=[{"sentence": each} for each in SENTENCES])
        assert senses["views"][-1]["layer"] is None


def test_the_model_says_what_is_loaded(client: TestClient, bare: TestClient, encoder: Encoder) -> None:
    found = client.get("/api/model").json()
    assert (found["dim"], found["n_layers"], found["language_model"]) == (encoder.dim, encoder.n_layers, True)
    assert found["parameters"] == sum(each.numel() for each in encoder.model.parameters())
    assert found["classifier"]["labels"] == ["money", "water", "<b>odd</b>"]
    assert found["vectors"] == {"name": "v.txt", "words": len(WORDS), "dim": 5}
    alone = bare.get("/api/model").json()
    assert (alone["language_model"], alone["classifier"], alone["vectors"]) == (False, None, None)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("score", {"sentences": ["a"]}, 409), ("substitutes", {"sentence": "a ___"}, 409),
        ("classify", {"texts": ["a"]}, 409), ("neighbours", {"sentence": "a b", "place": 0}, 404),
    ],
)  # fmt: skip
def test_what_is_not_loaded_is_told(bare: TestClient, path: str, body: dict[str, Any], status: int) -> None:
    answer = bare.post(f"/api/{path}", json=body)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "hint", "field"}
    assert bare.post("/api/layers", json={"sentence": "a b"}).json()["alone"] is None


def test_a_text_becomes_a_corpus_to_search(client: TestClient) -> None:
    info = post(client, "corpora", name="mine", text="The cell is dark. The cell divides.\n\nNo more.")
    assert (info["name"], info["sentences"], info["words"], info["uploaded"]) == ("mine", 3, 12, True)
    found = post(client, "neighbours", sentence="A cell .", place=1, corpus=info["id"])
    assert found["found"] == 2
    for number in range(6):
        post(client, "corpora", name=f"n{number}", text="A cell .")
    names = [each["name"] for each in client.get("/api/corpora").json()["corpora"]]
    assert names == ["small", "n2", "n3", "n4", "n5"]  # the oldest uploads went
    assert (
        client.post("/api/neighbours", json={"sentence": "A cell", "place": 1, "corpus": info["id"]}).status_code == 404
    )


def test_studies(client: TestClient) -> None:
    (info,) = client.get("/api/studies").json()["studies"]
    assert info["title"] == "A <b>study</b>"
    found = client.get(f"/api/studies/{info['id']}").json()
    assert found["rows"][0]["confusion"]["test"] == [[4, 1], [0, 5]]
    assert client.post("/api/studies", json=study()).json() == found
    assert client.get("/api/studies/none").status_code == 404
    wrong = client.post("/api/studies", json={"title": "x", "rows": [{"name": "a"}]})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "rows.0.kind")


def test_examples_are_two_senses_of_five_words(client: TestClient, encoder: Encoder) -> None:
    found = client.get("/api/examples").json()
    words = found["words"]
    assert found["opening"]["word"] in [each["word"] for each in words]
    assert 1 <= found["opening"]["layer"] < encoder.n_layers
    assert [each["word"] for each in words] == ["bank", "bat", "cell", "pitch", "spring"]
    for each in words:
        assert len(each["senses"]) == 2
        for sense in each["senses"]:
            assert 6 <= len(sense["sentences"]) <= 10
            assert all(each["word"] in encoder.words(sentence) for sentence in sense["sentences"])
    uses = [{"sentence": s, "sense": each["sense"]} for each in words[0]["senses"] for s in each["sentences"]]
    assert len(post(client, "senses", word="bank", uses=uses)["uses"]) == 16


def test_the_pages_files(client: TestClient) -> None:
    assert "elmokit" in client.get("/").text
    assert client.get("/static/index.html").status_code == 200
    plotly = client.get("/static/plotly.min.js")
    assert "plotly.js v" in plotly.text[:400]
    assert client.get("/static/plotly.min.js", headers={"If-None-Match": plotly.headers["etag"]}).status_code in (
        200,
        304,
    )
    reference = client.get("/docs").text
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in reference
    assert "<script" not in reference
    assert torch.is_inference_mode_enabled() is False
