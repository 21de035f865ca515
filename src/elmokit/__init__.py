"""ELMo for today's Python: pretrain biLMs, turn text into contextual word vectors, use them in real tasks."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

    from elmokit.encode.encoder import Encoder
    from elmokit.models import ElmoConfig, ElmoForPreTraining, ElmoForSequenceClassification, ElmoModel, ElmoTokenizer

# OpenMP reads this when torch loads it. The two directions of a biLM run on a thread each; OpenMP's idle workers would
# spin in addition to them and take their cores: three times the time a step on two cores. A value set outside is kept.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

__all__ = [
    "ElmoConfig",
    "ElmoForPreTraining",
    "ElmoForSequenceClassification",
    "ElmoModel",
    "ElmoTokenizer",
    "Encoder",
    "__version__",
]

# Loaded on first use (PEP 562): torch and transformers take seconds, and `import elmokit` should not.
_HOMES = {
    "ElmoConfig": "elmokit.models",
    "ElmoForPreTraining": "elmokit.models",
    "ElmoForSequenceClassification": "elmokit.models",
    "ElmoModel": "elmokit.models",
    "ElmoTokenizer": "elmokit.models",
    "Encoder": "elmokit.encode.encoder",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # reads the files of the installation, through the classes for e-mail

        value: Any = version("elmokit")
    elif name in _HOMES:
        try:
            value = getattr(import_module(_HOMES[name]), name)
        except ModuleNotFoundError as error:
            from elmokit.extras import explained

            raise (explained(error) or error) from error
    else:
        raise AttributeError(f"module 'elmokit' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
