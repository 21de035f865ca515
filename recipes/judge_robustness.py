"""Judge whether words stay themselves in sentences in capitals and in lower case: a table per model.

    python recipes/judge_robustness.py elmo-mini [MODEL …]

400 different words, one of each title of the AG News test file, are compared in every layer but the token layer with
themselves in the title respelt: how often the nearest of the 400 words as written is the word itself, their cosine, and
the cosine of two different words as written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from elmokit import Encoder
from elmokit.errors import ElmokitError
from english_text.data_folder import DataFolder
from judging.robustness import robustness, title_words
from judging.tables import data_folder, markdown


def main(arguments: list[str] | None = None) -> int:
    """Judge and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+", help="model folders, or names of shipped models")
    parser.add_argument("--data", type=Path, help="the data folder (default: $ELMOKIT_DATA)")
    given = parser.parse_args(arguments)
    try:
        data = DataFolder(data_folder(given.data))
        rows = []
        for model in given.models:
            encoder = Encoder.from_pretrained(model)
            found = robustness(encoder, title_words(data, encoder), layers=range(1, encoder.n_layers))
            for (layer, spelling), each in found.items():
                row = {"model": Path(model).name, "sentence in": spelling, "layer": str(layer)}
                row |= {"nearest is itself": f"{each.found:.3f}", "cosine": f"{each.cosine:.3f}"}
                rows.append(row | {"cosine of two words": f"{each.random:.3f}"})
        print(markdown(rows))
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
