"""Give a finished model a small head, fitted to what its large one predicts; the biLM stays as it is.

    python recipes/fit_head.py runs/mine --train text.txt --valid held_out.txt --output runs/mine_small_head
    python recipes/fit_head.py runs/mine … --set div_value=4 --set 'cutoffs=[2000, 10000]' --set train_words=2000000

Prints the held-out perplexity with both heads and their sizes. Every setting is a field of `FitHeadConfig`. A run that
was interrupted leaves nothing and is started again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from elmokit.errors import ElmokitError
from elmokit.pretrain.head_fitting import FitHeadConfig, HeadFit, fit_head
from elmokit.settings import load_settings


def main(arguments: list[str] | None = None) -> int:
    """Fit, print the figures; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="folder of a model with its head")
    parser.add_argument("--train", nargs="+", help="text to learn on")
    parser.add_argument("--valid", help="held-out text")
    parser.add_argument("--output", type=Path, help="folder of the new model")
    parser.add_argument("--config", type=Path, help="YAML file with settings")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    given = vars(parser.parse_args(arguments))
    file, overrides = given.pop("config"), given.pop("overrides")
    try:
        config = load_settings(FitHeadConfig, file, overrides=overrides, **given)
        print(report(fit_head(config)))
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"written to {config.output}")
    return 0


def report(fit: HeadFit) -> str:
    """The figures as a Markdown table."""
    rows = [
        ("large", fit.large_parameters, fit.large.mean, 1.0),
        ("small, as it began", fit.small_parameters, fit.start.mean, fit.start.mean / fit.large.mean),
        ("small, fitted", fit.small_parameters, fit.small.mean, fit.loss),
    ]
    lines = ["| head | parameters | held-out perplexity | × large |", "|---|---|---|---|"]
    lines += [f"| {name} | {size:,} | {perplexity:,.2f} | {share:.3f} |" for name, size, perplexity, share in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
