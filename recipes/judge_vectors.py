"""Judge models by what their vectors know: one table of word and sentence similarity, sentiment and named entities.

    python recipes/judge_vectors.py runs/mine runs/other [--untrained] [--vectors skipgram.txt] [--json figures.json]

A row has

- perplexity: on the held-out text of the model's own run (`metrics.json`), so comparable between runs on one text only;
- MEN, SimLex: Spearman's ρ of layers 0, 1, …, each word a sentence by itself; layer 0 knows no context. "pairs" is the
  share of pairs whose words both have vectors; the others are left out;
- STS12: Spearman's ρ of the cosine of mean-pooled vectors, the mean over the five files; for the average of the layers
  and for each;
- CR: accuracy of a logistic regression on the mean-pooled average of the layers, five fixed folds;
- NER: strict F1 of a linear probe on each layer, 4,000 training sentences of CoNLL-2003, measured on `eng.testa`.

Only validation data is read; the sets that are reported once at the end are not. The figures are the same every time
for the same number of threads. It takes about a minute per model on one core (`OMP_NUM_THREADS=1`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from elmokit.errors import ConfigError, ElmokitError
from elmokit.run_folder import write_json
from judging.candidates import Candidate, static_vectors, trained, untrained
from judging.judgement import Judgement, judged, table
from judging.sets import STS_YEARS, JudgingSets
from judging.tables import data_folder


def main(arguments: list[str] | None = None) -> int:
    """Judge and print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", help="model folders, or names of shipped models")
    parser.add_argument("--vectors", type=Path, nargs="+", default=[], help="files of static vectors: a row each")
    parser.add_argument("--untrained", action="store_true", help="a row for each model's shape with random weights")
    parser.add_argument("--data", type=Path, help="the data folder (default: $ELMOKIT_DATA)")
    parser.add_argument("--sts", nargs="+", choices=STS_YEARS, default=["12"], help="years of STS (default 12)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="gets the figures, after each model")
    given = parser.parse_args(arguments)
    try:
        sets = JudgingSets.read(data_folder(given.data), sts_years=given.sts)
        candidates = [trained(model) for model in given.models]
        candidates += [untrained(model) for model in given.models if given.untrained]
        candidates += [static_vectors(file) for file in given.vectors]
        if not candidates:
            raise ConfigError("nothing to judge: name model folders, or files of static vectors with --vectors")
        print(table(_judge_all(candidates, sets, given.json)))
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: cannot write {given.json}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


def _judge_all(candidates: Sequence[Candidate], sets: JudgingSets, file: Path | None) -> list[Judgement]:
    judgements: list[Judgement] = []
    for candidate in candidates:
        judgements.append(judged(candidate, sets))
        print(f"{candidate.name}: {judgements[-1].cpu_seconds:.0f} s of processor time", file=sys.stderr)
        if file is not None:
            write_json(file, [asdict(judgement) for judgement in judgements])
    return judgements


if __name__ == "__main__":
    sys.exit(main())
