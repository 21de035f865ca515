"""Text that teaches a biLM the words and the documents of CoNLL-2003 (Peters et al. 2018 teach theirs a task's words).

    python recipes/prepare_conll2003.py $ELMOKIT_DATA runs/newswire/data runs/conll2003/text

Reads the training file and eng.testa, of words alone, and what `recipes/prepare_newswire.py` wrote. Words of a line
stand apart by blanks. Writes

- `train.txt` and `testa.txt`: a sentence per line;
- `testa_documents.txt`: the sentences of a document in runs of about 200 words, as the tagger's biLM reads them;
- `mixed.txt`: the training sentences, twice their documents in runs, and of the newswire every second run of
  neighbouring sentences, of about 100 words.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from elmokit.tasks.inputs.contexts import Contexts
from elmokit.text.conll import read_placed
from elmokit.text.words import word_spans

TASK_WORDS, NEWS_WORDS = 200, 100

Sentence = list[str]


def runs(sentences: Sequence[Sentence], documents: Sequence[int], *, words: int) -> Iterator[Sentence]:
    """The sentences of each document, joined in runs of about so many words at most."""
    borders = Contexts.of_documents(np.cumsum([0, *map(len, sentences)]), documents, words=words).borders
    for begin, end in pairwise(borders):
        yield [word for sentence in sentences[begin:end] for word in sentence]


def task(path: Path) -> tuple[list[Sentence], list[int]]:
    """The sentences of a file and the number of each one's document."""
    placed = list(read_placed(path))
    return [[row[0] for row in sentence.rows] for sentence in placed], [sentence.document for sentence in placed]


def write(path: Path, *parts: Sequence[Sentence]) -> None:
    path.write_text("".join(f"{' '.join(words)}\n" for part in parts for words in part), encoding="utf-8")
    print(f"{path}: {sum(len(words) for part in parts for words in part):,} words")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    data, newswire, output = map(Path, sys.argv[1:])
    output.mkdir(parents=True, exist_ok=True)
    train, testa = (task(data / "conll2003" / f"eng.{name}.gz") for name in ("train", "testa"))
    write(output / "train.txt", train[0])
    write(output / "testa.txt", testa[0])
    write(output / "testa_documents.txt", list(runs(*testa, words=TASK_WORDS)))
    lines = (newswire / "train.txt").read_text(encoding="utf-8").splitlines()
    news = [[line[start:end] for start, end in word_spans(line)] for line in lines]
    read = list(runs(*train, words=TASK_WORDS))
    write(output / "mixed.txt", train[0], read, read, list(runs(news, [0] * len(news), words=NEWS_WORDS))[::2])
