"""What MTEB says of models, on the sets of the data folder, through the module for sentence-transformers.

    python recipes/judge_by_mteb.py elmo-mini [MODEL …] [--layers average 0] [--tasks STS12Files CRFiles]

STS 2012 to 2016, CR, MPQA and the test part of MRPC by MTEB's protocols (`judging/mteb_tasks.py`), offline. A text is
the mean of its words' vectors. Needs the extras `mteb` and `sentence-transformers`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elmokit.errors import ConfigError, ElmokitError
from elmokit.extras import needs
from english_text.data_folder import DataFolder
from judging.tables import data_folder, markdown


def main(arguments: list[str] | None = None) -> int:
    """Judge and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+", help="model folders, or names of shipped models")
    parser.add_argument("--data", type=Path, help="the data folder (default: $ELMOKIT_DATA)")
    parser.add_argument("--layers", nargs="+", default=["average"], help="average, top, concat, or a layer's number")
    parser.add_argument("--tasks", nargs="+", help="some of them, by name")
    given = parser.parse_args(arguments)
    try:
        needs("this recipe", "mteb", "sentence_transformers")
        from judging.mteb_tasks import tasks

        found = tasks(DataFolder(data_folder(given.data)))
        names = [task.metadata.name for task in found]
        if strange := set(given.tasks or []) - set(names):
            raise ConfigError(f"Unknown tasks {', '.join(sorted(strange))}. Expected some of: {', '.join(names)}.")
        chosen = [task for task in found if not given.tasks or task.metadata.name in given.tasks]
        rows = []
        for model in given.models:
            for layers in given.layers:
                scores = mteb_scores(model, chosen, layers=int(layers) if layers.lstrip("-").isdecimal() else layers)
                figures = {name.removesuffix("Files"): f"{100 * score:.1f}" for name, score in scores.items()}
                rows.append({"model": Path(model).name, "layers": layers, **figures})
        print(markdown(rows))
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def mteb_scores(model: str | Path, tasks: Sequence[Any], *, layers: Any = "average") -> dict[str, float]:
    """The main score of each task by its name, between 0 and 1 (a correlation may be negative)."""
    import mteb
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    from elmokit.integrations.sentence_transformers import Elmo

    elmo = Elmo(model, layers=layers)
    transformer = SentenceTransformer(modules=[elmo, Pooling(elmo.get_embedding_dimension())])
    found = mteb.evaluate(transformer, tasks, cache=None, co2_tracker=False, show_progress_bar=False)
    return {result.task_name: float(result.get_score()) for result in found.task_results}


if __name__ == "__main__":
    sys.exit(main())
