"""Do nearest texts share their topic? The share of the nearest of each text, by cosine, that have its label.

    python recipes/judge_neighbours.py elmo-mini runs/course/train.csv

The rows are labelled texts without a header (label, then the text), each a query among all others. ELMo's layers pooled
in several ways, static vectors (the mean, weighted by inverse frequency) and TF-IDF.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from elmokit.analysis.agreement import agreement
from elmokit.cosines import cosines
from elmokit.encode.encoder import Encoder
from elmokit.static.vectors import WordVectors
from elmokit.text.readers import Column, read_records
from elmokit.web.bundled import VECTORS

Array = NDArray[np.float32]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("rows", type=Path, help="csv: label, text")
    parser.add_argument("--vectors", type=Path, default=VECTORS, help="static vectors")
    parser.add_argument("--most", type=int, default=2000, help="rows, the first ones")
    given = parser.parse_args()
    texts = [record.text for record in read_records(given.rows, columns=[Column(asked="2-")])][: given.most]
    labels = [record.text for record in read_records(given.rows, columns=[Column(asked="1")])][: given.most]
    print(f"{len(texts):,} texts, {len(set(labels))} labels")
    print(f"{'':44}{'nearest':>9}{'ten nearest':>13}")
    for name, vectors in views(given.model, given.vectors, texts):
        similarity = cosines(vectors)
        shares = [agreement(similarity, labels, count=count) for count in (1, 10)]
        print(f"{name:44}{shares[0]:9.3f}{shares[1]:13.3f}", flush=True)


def views(model: str, static: Path, texts: list[str]) -> Iterator[tuple[str, Array]]:
    """A name and a vector for each text."""
    encoder = Encoder.from_pretrained(model)
    yield "ELMo, top layer, mean", encoder.encode(texts, layers="top", level="sentence", pooling="mean")
    yield "ELMo, all layers, mean", pooled(encoder, texts, "mean")
    yield "ELMo, all layers, weighted", pooled(encoder, texts, "weighted")
    yield "ELMo, token layer, weighted", encoder.encode(texts, layers=0, level="sentence", pooling="weighted")
    weighted = pooled(encoder, texts, "weighted")
    yield "ELMo, all layers, weighted, centred", weighted - weighted.mean(axis=0)
    vectors, weights = WordVectors.load(static), encoder.word_weights
    if weights is not None:
        means = [weights(words)[:, None] * vectors.of(words) for words in map(encoder.words, texts)]
        yield f"static vectors ({static.name}), weighted", np.stack([found.sum(axis=0) for found in means])
    yield "TF-IDF", TfidfVectorizer(sublinear_tf=True).fit_transform(texts).toarray().astype(np.float32)


def pooled(encoder: Encoder, texts: list[str], pooling: Literal["mean", "weighted"]) -> Array:
    """The mean of all layers as one vector a text."""
    return encoder.encode(texts, layers="average", level="sentence", pooling=pooling)


if __name__ == "__main__":
    main()
