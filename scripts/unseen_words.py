"""Misspelt and unseen words under several models: a table, layer by layer.

    python scripts/unseen_words.py MODEL… --text FILE [--slips 500]

Misspelt are words that every model saw in training (its vocab.txt); unseen are words that none saw.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from elmokit.analysis.unseen_words import find_slips, find_unseen, what_is_kept
from elmokit.encode.encoder import Encoder
from elmokit.text.sources import read_texts
from elmokit.text.vocab import Vocabulary
from elmokit.text.words import split_words


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--column")
    parser.add_argument("--slips", type=int, default=500)
    arguments = parser.parse_args()
    sentences = [split_words(text) for text in read_texts(arguments.text, column=arguments.column)]
    vocabularies = [set(Vocabulary.load(model / "vocab.txt").words) for model in arguments.models]
    slips = find_slips(sentences, set.intersection(*vocabularies), most=arguments.slips)
    unseen = find_unseen(sentences, set.union(*vocabularies))
    print(f"{len(slips)} misspelt words in their sentences, {len(unseen)} unseen words alone\n")
    head = ["model", "layer", "cosine to the right spelling", "to another word", "own word is nearest"]
    print(f"| {' | '.join([*head, 'unseen words told apart'])} |\n|{'---|' * 6}")
    for folder in arguments.models:
        encoder = Encoder.from_pretrained(folder)
        for layer in range(encoder.n_layers):
            kept = what_is_kept(encoder, slips, unseen, layer=layer)
            apart = "—" if kept.unseen_apart is None else f"{kept.unseen_apart:.3f}"
            print(f"| {folder.name} | {layer} | {kept.cosine:.3f} | {kept.other:.3f} | {kept.found:.3f} | {apart} |")


if __name__ == "__main__":
    main()
