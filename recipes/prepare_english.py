"""English pretraining text of the shipped models, from openly licensed and public-domain sources.

    python recipes/prepare_english.py $ELMOKIT_DATA runs/english [--weight wikipedia=0.5] [--seed 13]

Reads the files of `lm_open` and the smaller open sets next to it, cuts them into sentences, leaves out every sentence
that occurs in an evaluation file of the data folder, and writes to the folder

- `train.txt`: a sentence per line, an empty line behind each document, documents of all sources shuffled;
- `valid/NAME.txt`: documents held out of each source, and all of these in `valid.txt`;
- `valid/lm_open_valid.txt` and `valid/old_elmo_mini.txt`: the held-out mixture of `lm_open`, and the held-out text of
  the first `elmo-mini`. No long sentence of any held-out file is in `train.txt`;
- `sources.json`: words, sentences, documents, what was left out, terms and attribution of each source;
- `cleaned/`, `elmo_mini/`, `run.json`: each source as sentences, the text of the first `elmo-mini`, and the sums of the
  files that were read.

Given again, the command continues where it was interrupted; with other weights it only mixes anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from elmokit.errors import ConfigError, ElmokitError
from english_text.run import HELD_OUT, SEED, prepare


def main(arguments: list[str] | None = None) -> int:
    """Prepare and print the table of sources; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("output", type=Path, help="gets the text")
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="SOURCE=NUMBER",
        help="how often documents of a source are taken: 0.5 a random half, 2 twice, 0 none",
    )
    parser.add_argument("--seed", type=int, default=SEED, help=f"of what is drawn (default {SEED})")
    parser.add_argument(
        "--held-out",
        type=float,
        default=HELD_OUT,
        metavar="FRACTION",
        help=f"of the words of each source (default {HELD_OUT})",
    )
    parser.add_argument("--overwrite", action="store_true", help="start anew in a folder that was used")
    given = parser.parse_args(arguments)
    try:
        weights = dict(map(_weight, given.weight))
        report = prepare(
            given.data,
            given.output,
            weights=weights,
            seed=given.seed,
            held_out=given.held_out,
            overwrite=given.overwrite,
        )
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: cannot write {given.output}: {error.strerror or error}; give the command again", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: the same command continues", file=sys.stderr)
        return 130
    print(table(report))
    return 0


def _weight(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise ConfigError(f"--weight {text!r}: expected SOURCE=NUMBER, for example wikipedia=0.5") from None


def table(report: dict[str, Any]) -> str:
    """Words of each source as a Markdown table."""
    lines = [
        "| source | weight | words | share | documents | held out | in evaluation texts | seen before |",
        "|---|---|---|---|---|---|---|---|",
    ]
    total = report["all"]["train"]["words"]
    for name, entry in report["sources"].items():
        train, removed = entry["train"], entry["cleaned"]["sentences_in_evaluation_texts"]
        lines.append(
            f"| {name} | {entry['weight']:g} | {train['words']:,} | {train['words'] / total:.1%} | "
            f"{train['documents']:,} | {entry['held_out']['words']:,} | {removed:,} | "
            f"{entry['sentences_seen_before']:,} |"
        )
    train, held_out = report["all"]["train"], report["all"]["held_out"]
    lines.append(f"| all | | {train['words']:,} | | {train['documents']:,} | {held_out['words']:,} | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
