"""Report what the vectors of finished models are worth, on text kept for the end: tables in Markdown.

    python recipes/report_vectors.py elmo-mini [MODEL …] [--vectors skipgram.txt] [--wordnet index.sense] [--limit 500]

- Perplexity on WikiText-2 test, a paragraph per line, words at spaces, with the share of unknown words.
- What the layers know: a linear probe of parts of speech and homographs (CoNLL-2000), pseudo-words (Brown), MEN.
- Senses: senseval2, senseval3 and semeval2013 as examples for semeval2015, the nearest example of the same lemma.
- Sentences: STS 2015 and 2016 (Spearman's ρ of the cosine, the mean over files), CR and MPQA (accuracy, five fixed
  folds), MRPC (accuracy on its test part; |u − v| and u · v), CoLA (Matthews correlation on its dev part), beside
  TF-IDF, static vectors (`elmo train vectors` on the same text, given with --vectors) and an untrained network of the
  same shape, both pooled as the model is. Cosines are of the token layer, the weighted mean of the words; classifiers
  see the plain mean of all layers side by side.
  Logistic regression; its penalty is chosen on a fifth of the training part.

Nothing is trained or tuned on test text. The settings of sentence vectors were chosen by `judge_sentences.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sklearn.metrics import matthews_corrcoef

from elmokit.analysis.probes import Probe, homograph_probe, pseudo_word_probe, tag_probe
from elmokit.analysis.similarity import read_pairs
from elmokit.encode.layer_choice import Layers
from elmokit.encode.pooling import Pooling
from elmokit.errors import ElmokitError
from elmokit.pretrain.perplexity import evaluate_text
from elmokit.text.conll import read_conll
from english_text.data_folder import DataFolder
from judging.candidates import Candidate, static_vectors, trained, untrained
from judging.measures import word_similarity
from judging.representations import Contextual, TfIdf
from judging.senses import EXAMPLES, TEST, FirstSenses, instances, nearest_senses
from judging.sentence_measures import fold_score, held_out_score, spearman
from judging.sentence_sets import acceptability, opinions, paraphrases, similarity
from judging.tables import data_folder, markdown

Representation = Contextual | TfIdf
Row = dict[str, str]
Choice = tuple[Layers, Pooling]

PARTS = ("perplexity", "layers", "senses", "sentences")
SIMILARITY: Choice = (0, "weighted")
CLASSIFICATION: Choice = ("concat", "mean")
"""Chosen by `judge_sentences.py` (docs/results/sentence_vectors.md)."""


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+", help="model folders, or names of shipped models")
    parser.add_argument("--vectors", type=Path, nargs="+", default=[], help="static vectors of the same text")
    parser.add_argument("--wordnet", type=Path, help="index.sense of WordNet 3.0, for the first sense of every lemma")
    parser.add_argument("--data", type=Path, help="the data folder (default: $ELMOKIT_DATA)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="tables to make (default: all)")
    parser.add_argument("--limit", type=int, help="rows of each labelled set, for a quick trial")
    given = parser.parse_args(arguments)
    try:
        data = DataFolder(data_folder(given.data))
        models = [trained(model) for model in given.models]
        tables: dict[str, Callable[[], str]] = {
            "perplexity": lambda: markdown([_perplexity(model, data) for model in given.models]),
            "layers": lambda: markdown([row for model in models for row in _layers(model, data)]),
            "senses": lambda: markdown([_senses(model, data, given.wordnet) for model in models]),
            "sentences": lambda: _sentence_table(given.models, given.vectors, data, limit=given.limit),
        }
        for part in given.parts:
            print(f"## {part.capitalize()}\n\n{tables[part]()}\n", flush=True)
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _perplexity(model: str, data: DataFolder) -> Row:
    found = evaluate_text(model, data.root / "wikitext2" / "test.txt.gz", pre_split=True)
    return {
        "model": Path(model).name, "WikiText-2 test": f"{found.perplexity.mean:.1f}",
        "forward": f"{found.perplexity.forward:.1f}", "backward": f"{found.perplexity.backward or 0:.1f}",
        "words": f"{found.words:,}", "unknown": f"{found.unknown / found.words:.1%}",
    }  # fmt: skip


def _layers(model: Candidate, data: DataFolder) -> Iterator[Row]:
    encoder = model.encoder
    train, test = (
        [[(row[0], row[1]) for row in rows] for rows in read_conll(data.root / "conll2000" / f"{name}.txt.gz")]
        for name in ("train", "test")
    )
    brown = [line.partition("\t")[2].split() for line in data.lines("brown/brown.txt.gz")]
    probes: dict[str, Probe] = {
        "part of speech, linear probe": tag_probe(encoder, train, test),
        "homographs, nearest occurrence": homograph_probe(encoder, train, test),
        "pseudo-words, nearest occurrence": pseudo_word_probe(encoder, brown),
    }
    for name, probe in probes.items():
        row = {"model": model.name, "probe": name, "cases": f"{probe.count:,}", "baseline": f"{probe.baseline:.3f}"}
        yield row | {f"layer {layer}": f"{score:.3f}" for layer, score in enumerate(probe.accuracy)}
    men = word_similarity(model, read_pairs(data.root / "wordsim" / "EN-MEN-TR-3k.txt"))
    row = {"model": model.name, "probe": "MEN, Spearman's ρ", "cases": f"{men.pairs:,}", "baseline": "–"}
    yield row | {f"layer {layer}": f"{score:.3f}" for layer, score in men.rho.items()}


def _senses(model: Candidate, data: DataFolder, wordnet: Path | None) -> Row:
    examples = [instance for name in EXAMPLES for instance in instances(data, name)]
    found = nearest_senses(model.encoder, examples, instances(data, TEST), FirstSenses(examples, wordnet))
    return {
        "model": model.name, "instances": f"{found.count:,}", "with an example": f"{found.with_examples:,}",
        "first sense": f"{found.first:.3f}",
    } | {f"layer {layer}": f"{score:.3f}" for layer, score in enumerate(found.layers)}  # fmt: skip


class Compared(NamedTuple):
    """A row of the table of sentences: what its cosines are of, and what classifiers see."""

    similarity: Representation
    classification: Representation


def _sentence_table(models: Sequence[str], vectors: Sequence[Path], data: DataFolder, *, limit: int | None) -> str:
    encoders = {Path(model).name: trained(model).encoder for model in models}
    weights = next((each.word_weights for each in encoders.values() if each.word_weights is not None), None)
    encoders |= {f"{Path(model).name}, untrained": untrained(model).encoder for model in models}
    encoders |= {file.name: static_vectors(file).encoder for file in vectors}
    for encoder in encoders.values():
        if encoder.word_weights is None:
            encoder.word_weights = weights
    compared = [
        Compared(Contextual(name, encoder, *SIMILARITY), Contextual(name, encoder, *CLASSIFICATION))
        for name, encoder in encoders.items()
    ]
    return markdown([_sentence_row(row, data, limit) for row in (*compared, Compared(TfIdf(), TfIdf()))])


def _sentence_row(row: Compared, data: DataFolder, limit: int | None) -> Row:
    near, classes = row
    print(near.name, file=sys.stderr)
    cells: Row = {"vectors": near.name}
    earlier = [pair.one for year in ("12", "13", "14") for pairs in similarity(data, year).values() for pair in pairs]
    for year in ("15", "16"):
        cells[f"STS{year}"] = f"{spearman(near.fitted(earlier), similarity(data, year)):.3f}"
    near.forget()
    for name in ("CR", "MPQA"):
        cells[name] = f"{fold_score(classes.fitted, opinions(data, name).some(limit)):.3f}"
        classes.forget()
    train, test = (paraphrases(data, part).some(limit) for part in ("train", "test"))
    cells["MRPC"] = f"{held_out_score(classes.fitted, train, test):.3f}"
    classes.forget()
    train, test = (acceptability(data, part).some(limit) for part in ("train", "dev"))
    cells["CoLA"] = f"{held_out_score(classes.fitted, train, test, matthews_corrcoef):.3f}"
    classes.forget()
    return cells


if __name__ == "__main__":
    sys.exit(main())
