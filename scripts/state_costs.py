"""What the states of the encoder cost on a text: perplexity, and cosine to the vectors of the carried state.

    python scripts/state_costs.py MODEL --text FILE --warm-text FILE [--sentences 500]

MODEL is a folder of `elmo pretrain`. The carried state is what a model trained with `mode: stream` knows; a model that
was trained on single sentences knows the zero state. The warm state is computed on --warm-text.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from elmokit.cosines import paired_cosines
from elmokit.encode.encoder import Encoder, Start
from elmokit.interop.loading import load, save
from elmokit.pretrain.perplexity import evaluate_text
from elmokit.text.readers import read_texts

STATES: tuple[Start, ...] = ("zero", "warm", "carry")
WARM_SENTENCES = 200


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--text", required=True, help="already split at blanks")
    parser.add_argument("--warm-text", required=True)
    parser.add_argument("--sentences", type=int, default=500)
    arguments = parser.parse_args()
    warm_text = [line.split() for line in _first(arguments.warm_text, WARM_SENTENCES)]
    sentences = [line.split() for line in _first(arguments.text, arguments.sentences)]
    with TemporaryDirectory() as folder:
        warm = Path(folder) / "warm"
        save(load(arguments.model, warm_text=warm_text, whole=True), warm)
        print("| state | forward perplexity | backward | mean |\n|---|---|---|---|")
        for state in STATES:
            found = evaluate_text(warm if state == "warm" else arguments.model, arguments.text, state=state).perplexity
            backward, mean = ("—" if value is None else f"{value:.2f}" for value in (found.backward, found.mean))
            print(f"| {state} | {found.forward:.2f} | {backward} | {mean} |")
        print(f"\n{len(sentences)} sentences, cosine to the vectors of the carried state, word by word:\n")
        print("| state | layer | mean | 1st percentile | least |\n|---|---|---|---|---|")
        carried = _vectors(arguments.model, sentences, "carry")
        for state in ("zero", "warm"):
            other = _vectors(warm if state == "warm" else arguments.model, sentences, state)
            for layer in range(1, carried.shape[0]):
                cosines = paired_cosines(carried[layer], other[layer])
                percentile = float(np.quantile(cosines, 0.01))
                print(f"| {state} | {layer} | {cosines.mean():.4f} | {percentile:.4f} | {cosines.min():.4f} |")


def _first(file: str, count: int) -> list[str]:
    texts = (record.text for record in read_texts(file))
    return [text for text, _ in zip(texts, range(count), strict=False)]


def _vectors(model: Path, sentences: list[list[str]], state: Start) -> np.ndarray:
    """(layers, words of all sentences, D); carried from sentence to sentence."""
    encoder = Encoder.from_pretrained(model, state=state)
    if state == "carry":
        found = [encoder.encode([words], is_split_into_words=True)[0] for words in sentences]
    else:
        found = encoder.encode(sentences, is_split_into_words=True)
    return np.concatenate(found, axis=1)


if __name__ == "__main__":
    main()
