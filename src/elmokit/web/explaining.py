"""What a classifier says and why, and a sentence layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from elmokit.cosines import cosines
from elmokit.tasks.classification.attribution import each_layer_alone, integrated_gradients, occlusion
from elmokit.tasks.classification.predict import Classifier, Label
from elmokit.web import planes, responses
from elmokit.web.loaded import Loaded
from elmokit.web.requests import ClassifyRequest


def classified(request: ClassifyRequest, classifier: Classifier) -> list[responses.Classified]:
    """Labels of every text, and what each word did to one of them where that is asked; none of a blank text."""
    results = iter(classifier.predict([text for text in request.texts if text.strip()]))
    answers = []
    for text in request.texts:
        if not text.strip():
            answers.append(responses.Classified(words=[], cut=False, labels=[], explanation=None))
            continue
        labels = next(results)
        tokens = classifier.tokens([text])
        explanation = None
        if request.explain is not None:
            gradients = request.explain == "gradients"
            found = (integrated_gradients if gradients else occlusion)(classifier, text, label=request.label)
            explanation = responses.Explanation(
                method="gradients" if gradients else "occlusion",
                label=found.label,
                scores=np.round(found.scores, 5).tolist(),
                logit=found.logit,
                baseline=found.baseline,
                gap=found.gap if gradients else None,
            )
        answers.append(
            responses.Classified(
                words=tokens.words(0), cut=tokens.cut > 0, labels=scores(labels), explanation=explanation
            )
        )
    return answers


def scores(labels: Sequence[Label]) -> list[responses.LabelScore]:
    """For JSON."""
    return [responses.LabelScore(label=label, probability=probability) for label, probability in labels]


def inside(words: list[str], place: int, text: str, loaded: Loaded) -> responses.LayersResponse:
    """A sentence layer by layer, with what the classifier makes of each layer of `text`."""
    encoder = loaded.encoder
    (found,) = encoder.encode([words], is_split_into_words=True)
    layers = list(found)  # (W, D) each, and the mix where there is one
    if encoder.mix is not None:
        layers += encoder.encode([words], layers="mix", is_split_into_words=True)
    chosen = np.stack([vectors[place] for vectors in layers])  # (V, D)
    views = []
    for (layer, name), vectors in zip(planes.layer_names(encoder), layers, strict=True):
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        similarity = cosines(vectors, vectors[place : place + 1])[:, 0].astype(np.float64)
        norms, similar = np.round(lengths, 4).tolist(), np.round(similarity, 4).tolist()
        views.append(responses.LayerView(layer=layer, name=name, norms=norms, similarity=similar))
    answer = responses.LayersResponse(
        words=words,
        place=place,
        between=planes.rounded(cosines(chosen)),
        mix=mix_info(loaded),
        mixed=None,
        alone=None,
        views=views,
    )
    if loaded.classifier is not None:
        (mixed,) = loaded.classifier.predict([text])
        answer.mixed = scores(mixed)
        answer.alone = [
            responses.LayerVerdict(layer=layer, name=f"LSTM {layer}" if layer else "tokens", labels=scores(labels))
            for layer, labels in enumerate(each_layer_alone(loaded.classifier, text))
        ]
    return answer


def mix_info(loaded: Loaded) -> responses.MixInfo | None:
    """λ and γ of the classifier, else of the model."""
    mix = loaded.encoder.mix if loaded.classifier is None else loaded.classifier.model.mix
    if mix is None:
        return None
    found = mix.weights()
    lambdas, gamma = found if found is not None else (None, None)
    source = "model" if loaded.classifier is None else "classifier"
    return responses.MixInfo(source=source, mode=mix.mode, lambdas=lambdas, gamma=gamma)
