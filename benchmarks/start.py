"""What it costs to begin: CPU-seconds from the start of a process to the first vector, packages and their size.

    python benchmarks/start.py core=ENV/bin/python torch=ENV2/bin/python st=ENV3/bin/python --model FOLDER

Each environment is measured for what its name says: `core` and `torch` by elmokit's backends, `predict` by
`elmo predict "text"`, `import-torch` by the import alone, `st` and `model2vec` by `encode` of those packages with the
folder of a model of theirs. The median of five processes; the first, which compiles what it imports, is not counted.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
from pathlib import Path

TEXT = "The striker scored twice before half time."
WAYS = {
    "core": f"from elmokit import Encoder\nEncoder.from_pretrained('elmo-mini', backend='onnx').encode({TEXT!r})",
    "torch": f"from elmokit import Encoder\nEncoder.from_pretrained('elmo-mini', backend='torch').encode({TEXT!r})",
    "predict": f"import sys\nsys.argv = ['elmo', 'predict', {TEXT!r}]\nfrom elmokit.cli.app import main\nmain()",
    "import-torch": "import torch",
    "st": f"import sys\nfrom sentence_transformers import SentenceTransformer as S\nS(sys.argv[1]).encode({TEXT!r})",
    "model2vec": f"import sys, model2vec\nmodel2vec.StaticModel.from_pretrained(sys.argv[1]).encode([{TEXT!r}])",
}
PROCESSES = 5


def cpu_seconds(python: str, code: str, *arguments: str) -> float:
    """Of one new process, its children and threads included.

    Raises:
        RuntimeError: It failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([python, "-c", code, *arguments], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{python} failed: {done.stderr[-400:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def packages(python: str) -> tuple[int, float]:
    """How many distributions an environment has without pip and setuptools, and their megabytes."""
    code = (
        "import importlib.metadata as m, os, sysconfig; p = sysconfig.get_path('purelib'); "
        "names = {d.name.lower() for d in m.distributions(path=[p])} - {'pip', 'setuptools', 'wheel'}; "
        "skip = ('pip', 'setuptools', '_distutils', 'pkg_resources'); size = sum(os.path.getsize(os.path.join(r, f)) "
        "for d in os.listdir(p) if not d.startswith(skip) for r, _, fs in "
        "(os.walk(os.path.join(p, d)) if os.path.isdir(os.path.join(p, d)) else [(p, [], [d])]) for f in fs "
        "if '__pycache__' not in r); print(len(names), size / 1e6)"
    )
    count, size = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return int(count), float(size)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("environments", nargs="+", metavar="WAY=PYTHON", help=f"ways: {', '.join(WAYS)}")
    parser.add_argument("--model", type=Path, default=Path(), help="folder of the model for st and model2vec")
    given = parser.parse_args()
    print("| way | CPU-seconds to the first vector | packages | MB |\n|---|---|---|---|")
    for environment in given.environments:
        way, _, python = environment.partition("=")
        folder = str(given.model / way)
        seconds = [cpu_seconds(python, WAYS[way], folder) for _ in range(PROCESSES + 1)][1:]
        count, size = packages(python)
        print(f"| {way} | {statistics.median(seconds):.2f} | {count} | {size:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
