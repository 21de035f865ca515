"""Packages that are installed on request: which extra has each, and the command that installs it."""

from __future__ import annotations

from importlib.util import find_spec

from elmokit.errors import ConfigError

EXTRAS = {
    "torch": "torch",
    "transformers": "train",
    "accelerate": "train",
    "tensorboard": "train",
    "datasets": "tasks",
    "sklearn": "tasks",
    "seqeval": "tasks",
    "sacrebleu": "tasks",
    "tokenizers": "tasks",
    "h5py": "published",
    "huggingface_hub": "published",
    "scipy": "report",
    "matplotlib": "report",
    "jinja2": "report",
    "fastapi": "web",
    "uvicorn": "web",
    "plotly": "web",
    "pyarrow": "parquet",
    "ray": "ray",
    "fsspec": "remote",
    "s3fs": "remote",
    "aiohttp": "remote",
    "zstandard": "remote",
    "onnx": "onnx",
    "onnxscript": "onnx",
    "gensim": "static",
    "spacy": "spacy",
    "sentence_transformers": "sentence-transformers",
    "lm_eval": "lm-eval",
    "mteb": "mteb",
}
"""The extra of `pyproject.toml` that has each package, by the name it is imported by."""


class MissingPackage(ConfigError, ImportError):
    """Something needs a package of an extra that is not installed."""


def install_command(extra: str) -> str:
    """The command that installs an extra, from the checkout."""
    return f"pip install -c constraints.txt '.[{extra}]'"


def needs(what: str, *packages: str) -> None:
    """Raise `MissingPackage` where one of `packages` is not installed; `what` needs them."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise MissingPackage(_told(what, missing))


def explained(error: ModuleNotFoundError) -> MissingPackage | None:
    """The one line for a package of an extra that could not be imported; None for any other module."""
    package = (error.name or "").partition(".")[0]
    return MissingPackage(_told("this", [package])) if package in EXTRAS else None


def _told(what: str, missing: list[str]) -> str:
    extras = ",".join(dict.fromkeys(EXTRAS[name] for name in missing))
    return f"{what} needs {' and '.join(missing)}: {install_command(extras)}"
