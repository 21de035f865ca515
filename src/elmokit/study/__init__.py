"""Deprecated names of what is now in `elmokit.experiments`, `elmokit.analysis` and `elmokit.demo`."""

from __future__ import annotations

import sys
from importlib import import_module

_MOVED = {
    "cosines": "elmokit.cosines",
    "demo": "elmokit.demo.chain",
    "grammar": "elmokit.demo.grammar",
    "probes": "elmokit.analysis.probes",
    "senses": "elmokit.demo.senses",
    "similarity": "elmokit.analysis.similarity",
    "spelling": "elmokit.analysis.unseen_words",
    "synthetic": "elmokit.demo.synthetic",
    "word_groups": "elmokit.analysis.senses",
}

for _old, _new in _MOVED.items():
    sys.modules[f"{__name__}.{_old}"] = import_module(_new)
