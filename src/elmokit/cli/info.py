"""`elmo info`: what a bug report needs to say about the machine."""

from __future__ import annotations

import os
import platform
from importlib.util import find_spec

from elmokit.cli.options import AsJson, print_facts
from elmokit.machine import usable_cores

PACKAGES = (
    "elmokit",
    "onnxruntime",
    "torch",
    "transformers",
    "accelerate",
    "datasets",
    "tokenizers",
    "numpy",
    "scikit-learn",
)


def info(as_json: AsJson = False) -> None:
    """Print the versions of elmokit and its parts, the cores, the kernels in use and the thread settings."""
    print_facts(facts_of_this_machine(), as_json=as_json)


def facts_of_this_machine() -> dict[str, str | int]:
    """Versions by package name, then platform, cores, kernels and the environment variables that set threads."""
    facts: dict[str, str | int] = {name: installed_version(name) for name in PACKAGES}
    facts["python"] = platform.python_version()
    facts["platform"] = platform.platform()
    facts["cores"] = usable_cores()
    facts["kernels"] = "onnxruntime's own: torch is not installed"
    if find_spec("torch") is not None:
        from elmokit.nn.native.library import status

        facts["kernels"] = status()
    for name in ("ELMOKIT_KERNELS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "ELMOKIT_DATA", "CUDA_VISIBLE_DEVICES"):
        facts[name] = os.environ.get(name, "(not set)")
    return facts


def installed_version(name: str) -> str:
    """Version of an installed package, without importing it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
