"""Judge how the vectors of sentences are made: layers, pooling, and the common component; one table per model.

    python recipes/judge_sentences.py elmo-mini [MODEL …] [--limit 2000]      every setting, on the sets for choosing
    python recipes/judge_sentences.py elmo-mini [MODEL …] --weights           ways to weight words, on the same sets
    python recipes/judge_sentences.py elmo-mini [MODEL …] --final             the default beside the mean, on the others

For choosing: STS 2012 to 2014 (Spearman's ρ of the cosine, the mean over the files of each year), CR (accuracy, five
fixed folds) and the training part of MRPC (accuracy, five fixed folds). For the final report, once: STS 2015 and 2016,
MPQA (five folds) and the test part of MRPC. Classes are told apart by logistic regression; of pairs it sees |u − v| and
u · v. Removing one direction changes little there, so that is not tried. The common component is that of the model's
folder, or fitted on the held-out text of `lm_open`. Weights of words are compared by cosines of the token layer (STS)
and by logistic regression on all layers next to each other (CR, MRPC).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

from elmokit import Encoder
from elmokit.encode.common_component import CommonComponent
from elmokit.errors import ElmokitError, ModelError
from elmokit.text.sentence_borders import split_sentences
from english_text.data_folder import DataFolder
from judging.pooled_texts import PooledTexts, Setting, settings
from judging.sentence_measures import Vectorizer, fold_score, held_out_score, spearman
from judging.sentence_sets import Labelled, opinions, paraphrases, similarity
from judging.sets import SentencePair
from judging.tables import data_folder, markdown
from judging.weightings import weightings

_COMPONENT_SENTENCES = 5000
_PENALTY = 0.01  # as in judge_vectors.py


def main(arguments: list[str] | None = None) -> int:
    """Judge and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+", help="model folders, or names of shipped models")
    parser.add_argument("--data", type=Path, help="the data folder (default: $ELMOKIT_DATA)")
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument("--weights", action="store_true", help="compare ways to weight words, on the sets for choosing")
    wanted.add_argument("--final", action="store_true", help="the sets that are reported once, default settings only")
    parser.add_argument("--limit", type=int, help="rows of each labelled set, for a quick trial")
    given = parser.parse_args(arguments)
    try:
        data = DataFolder(data_folder(given.data))
        for model in given.models:
            encoder = Encoder.from_pretrained(model)
            if given.weights:
                table = _weights(encoder, data, limit=given.limit)
            else:
                table = _judged(encoder, data, final=given.final, limit=given.limit)
            print(f"## {Path(model).name}\n\n{table}\n")
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _judged(encoder: Encoder, data: DataFolder, *, final: bool, limit: int | None) -> str:
    component = _common_component(encoder, data)
    wanted = [*dict.fromkeys([_default(encoder), Setting("average", "mean")])] if final else list(settings(encoder))
    columns: dict[str, dict[Setting, float]] = {}
    for year in ("15", "16") if final else ("12", "13", "14"):
        columns[f"STS{year}"] = _similarity(encoder, component, similarity(data, year), wanted)
    name = "MPQA" if final else "CR"
    columns[name] = _classes(encoder, component, opinions(data, "MPQA" if final else "CR").some(limit), None, wanted)
    train = paraphrases(data, "train").some(limit)
    test = paraphrases(data, "test").some(limit) if final else None
    columns[f"MRPC {'test' if final else 'train'}"] = _classes(encoder, component, train, test, wanted)
    rows = [
        {"layers": setting.layers, "pooling": setting.pooling, "common component": "removed" if setting.removed else ""}
        | {name: f"{scores[setting]:.3f}" if setting in scores else "–" for name, scores in columns.items()}
        for setting in wanted
    ]
    return markdown(rows)


def _weights(encoder: Encoder, data: DataFolder, *, limit: int | None) -> str:
    """
    Raises:
        ModelError: The model has no word counts.
    """
    if encoder.word_weights is None:
        raise ModelError(f"{encoder} has no word counts")
    rows = []
    years = {f"STS{year}": similarity(data, year) for year in ("12", "13", "14")}
    labelled = {"CR": opinions(data, "CR").some(limit), "MRPC train": paraphrases(data, "train").some(limit)}
    cosines, classes = Setting("0", "weighted"), Setting("concat", "weighted")
    for name, weighting in weightings(encoder.word_weights.counts).items():
        encoder.word_weights = weighting
        scores = {set_name: _similarity(encoder, None, files, [cosines])[cosines] for set_name, files in years.items()}
        scores |= {
            set_name: _classes(encoder, None, part, None, [classes])[classes] for set_name, part in labelled.items()
        }
        rows.append({"weight": name} | {set_name: f"{score:.3f}" for set_name, score in scores.items()})
    return markdown(rows)


def _default(encoder: Encoder) -> Setting:
    """The layers of `ElmoVectorizer` and the pooling of `Encoder`."""
    return Setting("average", encoder.default_pooling)


def _common_component(encoder: Encoder, data: DataFolder) -> CommonComponent:
    if encoder.common_component is not None:
        return encoder.common_component
    lines = chain.from_iterable(split_sentences(line) for line in data.lines("lm_open/valid.txt.xz"))
    return encoder.fit_common_component(islice((line for line in lines if line.strip()), _COMPONENT_SENTENCES))


def _similarity(
    encoder: Encoder, component: CommonComponent | None, files: dict[str, list[SentencePair]], wanted: Sequence[Setting]
) -> dict[Setting, float]:
    texts = PooledTexts(encoder, (text for pairs in files.values() for pair in pairs for text in pair[:2]), component)
    return {setting: spearman(partial(texts, setting=setting), files) for setting in wanted}


def _classes(
    encoder: Encoder,
    component: CommonComponent | None,
    train: Labelled,
    test: Labelled | None,
    wanted: Sequence[Setting],
) -> dict[Setting, float]:
    """By the test part, or where there is none by folds; settings without the common component are left out."""
    parts = [train] if test is None else [train, test]
    texts = PooledTexts(encoder, (text for part in parts for text in (*part.texts, *(part.others or ()))), component)

    def score(setting: Setting) -> float:
        def fitted(_: Sequence[str]) -> Vectorizer:
            return partial(texts, setting=setting)

        if test is None:
            return fold_score(fitted, train, penalty=_PENALTY)
        return held_out_score(fitted, train, test, penalty=_PENALTY)

    return {setting: score(setting) for setting in wanted if not setting.removed}


if __name__ == "__main__":
    sys.exit(main())
