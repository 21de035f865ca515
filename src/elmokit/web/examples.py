"""Sentences to begin with: five ambiguous words, two senses each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from elmokit.analysis.occurrences import Occurrence
from elmokit.encode.encoder import Encoder
from elmokit.web import planes
from elmokit.web.responses import ExampleSense, ExampleWord, Opening


@cache
def example_words() -> list[ExampleWord]:
    """The content of `examples.yaml`: word, sense, sentences."""
    content = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return [
        ExampleWord(
            word=word, senses=[ExampleSense(sense=sense, sentences=sentences) for sense, sentences in senses.items()]
        )
        for word, senses in content.items()
    ]


def opening(encoder: Encoder) -> Opening | None:
    """The example and the layer whose senses lie farthest apart on the map; None where no layer knows context."""
    best, found = 0.0, None
    for example in example_words():
        occurrences, senses = [], []
        for sense in example.senses:
            for words in map(encoder.words, sense.sentences):
                place = next((place for place, word in enumerate(words) if word.lower() == example.word), None)
                if place is not None:  # a tokenizer may keep it inside another word
                    occurrences.append(Occurrence(words, place))
                    senses.append(sense.sense)
        if len(set(senses)) < 2:
            continue
        for layer, vectors in enumerate(planes.view_vectors(encoder, occurrences)):
            points, _ = planes.pca(vectors)
            apart = planes.between_senses(points, senses)
            if apart > best:
                best, found = apart, Opening(word=example.word, layer=layer)
    return found
