"""Write the ONNX graphs of the models that come with the package, and their sums into `about.json`.

    python recipes/write_graphs.py                 # all of them
    python recipes/write_graphs.py elmo-mini

`recipes/ship_models.py` does it for a model it ships. The graphs hold no weights: they change with a model's shape.
"""

from __future__ import annotations

import argparse

from elmokit.interop.graphs import write_graphs
from elmokit.pretrained import shipped_models, write_about
from elmokit.saved_model import SavedModel


def main() -> None:
    """Write those that were asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="default: all")
    for name in parser.parse_args().names or list(shipped_models()):
        model = shipped_models()[name]
        write_graphs(SavedModel.open(name).config, model.folder)
        write_about(model.folder, summary=model.summary, terms=model.terms, parameters=model.parameters)
        print(f"{name}: graphs written to {model.folder}")


if __name__ == "__main__":
    main()
