"""Figures of how the code is built, as a table: repetitions, sizes, what a new part costs, what opening a model costs.

    python scripts/house_figures.py [CHECKOUT…] [--quick] [--files]

Each CHECKOUT is a column, that of this script by default. The last figures run the package of the checkout with the
current interpreter; --quick leaves them out, and then the standard library is all that is needed. --files names the
files behind the numbers.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

PHRASES = (
    r"\bholds? (a|an|no|the|nothing|something|what|one|only)\b",  # contains
    r"\b(go(es)?|went|gone|going) on\b",  # resumes, continues
    r"\bstands? (on|for|at|beside|behind|there|by|alone)\b",
    r"\b(is|are|was|were) told\b",  # is reported
    r"\bsums? of\b|\ba sum\b",  # checksum
    r"\b(a|one) (sentence|row|text|token|paragraph|question|name) a (line|row|file)\b",  # per line
    r"\bone a (line|row|core)\b",
    r"\bfloors?\b",  # baseline
    r"\b(commonest|likeliest)\b",  # most frequent, most likely
    r"\bof old\b|\bstrangers?\b|\bhangs? on\b|\bat hand\b|\bfor want of\b|\bnothing but\b",
    r"\bleft aside\b|\btaken up\b|\bput aside\b",
    r"\bfor the (report|progress|figures) alone\b|\bthat are looked at\b|\bWhat a model is\b",
    r"\bpre-split\b",  # pre-tokenised
)
"""Phrases that read as translated, with the words an English-speaking engineer expects."""

ENCODER_CLASSES = {"CharCNN", "WordEmbedding", "SubwordEncoder", "WordCharEncoder"} | {
    "ByteRows",
    "LookupRows",
    "PieceRows",
    "WordByteRows",
    "DictionaryRows",
}
ENCODER_NAMES = {"char_cnn", "subword", "word_char"}  # "word" means too much else
FORMAT_NAMES = {"tsv", "jsonl", "ndjson", "conll", "conllu", "iob2", "fasta"}

# One of each kind, by the names that code has for it: the files that would be touched to add it.
PIECES = ("subword", "SubwordEncoder", "PieceRows")
FASTA = (".fasta", "read_fasta", "fasta:read_fasta")
MANY_LANGS = ("MANY_LANGS", "ManyLangsFolder", "read_many_langs")

Found = dict[str, int | str | list[str]]


@dataclass(frozen=True)
class Task:
    """Where a task lives: its package in tasks/, its command, the module of its network."""

    package: str
    command: str
    network: str

    def owns(self, path: Path) -> bool:
        """Whether a file is of this task alone."""
        if path.parts[:2] == ("tasks", self.package):
            return path.name != "__init__.py"
        return path in (Path(f"cli/train/{self.command}.py"), Path(f"models/{self.network}.py"))

    def imported(self, text: str) -> bool:
        """Whether a file imports something of it."""
        return re.search(rf"\belmokit\.(tasks\.{self.package}|models\.{self.network})\b", text) is not None


TASKS = (
    Task("classification", "classify", "modeling_sequence_classification"),
    Task("tagging", "tag", "modeling_token_classification"),
    Task("question_answering", "qa", "modeling_question_answering"),
    Task("translation", "translate", "modeling_translation"),
    Task("pairs", "pairs", "modeling_pairs"),
)


@dataclass(frozen=True)
class Checkout:
    """The files of a checkout."""

    root: Path

    @cached_property
    def sources(self) -> dict[Path, str]:
        """Python files of the package, by their path in it."""
        package = self.root / "src" / "elmokit"
        return {path.relative_to(package): path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py"))}

    @cached_property
    def trees(self) -> dict[Path, ast.Module]:
        """The same, parsed."""
        return {path: ast.parse(text) for path, text in self.sources.items()}

    @cached_property
    def prose(self) -> list[str]:
        """README, pages of docs/ and the sources."""
        pages = [self.root / "README.md", *sorted((self.root / "docs").rglob("*.md"))]
        return [*(page.read_text(encoding="utf-8") for page in pages), *self.sources.values()]

    def lines(self, *rooms: str) -> int:
        """Lines of some rooms, of the package without."""
        return sum(text.count("\n") for path, text in self.sources.items() if not rooms or path.parts[0] in rooms)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkouts", type=Path, nargs="*", default=[Path(__file__).resolve().parents[1]])
    parser.add_argument("--quick", action="store_true", help="only what is read from the files")
    parser.add_argument("--files", action="store_true", help="name the files behind the numbers")
    arguments = parser.parse_args()
    columns = []
    for root in arguments.checkouts:
        checkout = Checkout(root.resolve())
        columns.append(read(checkout) | ({} if arguments.quick else measured(checkout)))
    print("| | " + " | ".join(root.resolve().name for root in arguments.checkouts) + " |")
    print("|---" * (1 + len(columns)) + "|")
    for name in dict.fromkeys(name for column in columns for name in column):
        print(f"| {name} | " + " | ".join(shown(column.get(name, "–")) for column in columns) + " |")
    if arguments.files:
        for root, column in zip(arguments.checkouts, columns, strict=True):
            for name, value in column.items():
                if isinstance(value, list):
                    print(f"\n{root}, {name}: {', '.join(value)}")


def shown(value: int | str | list[str]) -> str:
    """A cell of the table."""
    if isinstance(value, list):
        return f"{len(value)}"
    return f"{value:,}" if isinstance(value, int) else value


def read(checkout: Checkout) -> Found:
    """The figures that need no more than the files."""
    text = "\n".join(checkout.sources.values())
    return {
        "lines of the package": checkout.lines(),
        "lines of tasks/ and cli/": checkout.lines("tasks", "cli"),
        **called_once(checkout),
        "`dict[str, Any]`": text.count("dict[str, Any]"),
        "`# fmt: skip`": text.count("# fmt: skip"),
        "phrases that read as translated (docs, README, source)": phrases(checkout),
        "files that branch on a token encoder": files_with(checkout, branches_on_encoder),
        "files that know one token encoder by name (subword)": files_with(checkout, naming(*PIECES)),
        "files that name the suffixes of text formats": files_with(checkout, names_format),
        "files that know one text format by name (FASTA)": files_with(checkout, naming(*FASTA)),
        "files that know one published format by name (ELMoForManyLangs)": files_with(checkout, naming(*MANY_LANGS)),
        **{name: files for task in TASKS for name, files in files_of(task, checkout).items()},
    }


def called_once(checkout: Checkout) -> Found:
    """Functions and methods that one place refers to, as a share of all.

    A private name counts in its own file, a public one in the whole package. Of two public functions with one name
    neither counts as referred to once, so the share is a lower bound. Python's own names (`__len__`) are left out.
    """
    references = {path: names_read(tree) for path, tree in checkout.trees.items()}
    everywhere = sum(references.values(), Counter[str]())
    total, once = 0, Counter[str]()
    for path, tree in checkout.trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
                private = node.name.startswith("_")
                places = references[path] if private else everywhere
                total += 1
                once["private" if private else "public"] += places[node.name] - names_read(node)[node.name] == 1
    shares = {kind: f"{count} ({count / total:.1%})" for kind, count in once.items()}
    return {
        "functions and methods": total,
        "private functions called from one place": shares["private"],
        "public functions called from one place": shares["public"],
    }


def names_read(tree: ast.AST) -> Counter[str]:
    """How often each name is read, as a name or an attribute."""
    names: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            names[node.id if isinstance(node, ast.Name) else node.attr] += 1
    return names


def phrases(checkout: Checkout) -> int:
    """How often the phrases of the list occur."""
    return sum(len(re.findall(phrase, text, re.IGNORECASE)) for phrase in PHRASES for text in checkout.prose)


def files_with(checkout: Checkout, wanted: Callable[[ast.AST], bool]) -> list[str]:
    """Files with a node of the wanted kind."""
    return [str(path) for path, tree in checkout.trees.items() if any(map(wanted, ast.walk(tree)))]


def branches_on_encoder(node: ast.AST) -> bool:
    """A comparison of a token encoder's name, a table by it, or a test for the class of an encoder or of its rows.

    `options["char_cnn"]` is none: a section of bilm-tf's options has that name.
    """
    if isinstance(node, ast.Compare):
        return any(map(names_encoder, (node.left, *node.comparators)))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
        return any(isinstance(part, ast.Name) and part.id in ENCODER_CLASSES for part in ast.walk(node))
    if isinstance(node, ast.Dict):
        return sum(key is not None and names_encoder(key) for key in node.keys) > 1
    if isinstance(node, ast.Subscript):
        section = isinstance(node.slice, ast.Constant) and node.slice.value == "char_cnn"
        return names_encoder(node.slice) and not section
    return False


def naming(*names: str) -> Callable[[ast.AST], bool]:
    """Whether a node is one of these names: a variable, a class, a function, an import or a text."""

    def named(node: ast.AST) -> bool:
        if isinstance(node, ast.alias | ast.ClassDef | ast.FunctionDef):
            return node.name in names
        found = node.value if isinstance(node, ast.Constant) else node.id if isinstance(node, ast.Name) else None
        return isinstance(found, str) and found in names

    return named


def names_encoder(node: ast.AST) -> bool:
    """The setting `token_encoder`, or the name of an encoder."""
    if isinstance(node, ast.Attribute):
        return node.attr == "token_encoder"
    return isinstance(node, ast.Constant) and node.value in ENCODER_NAMES


def names_format(node: ast.AST) -> bool:
    """A string, and no sentence, with the suffix of a text format; `log.jsonl` is a file of one's own, no format."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or len(node.value) > 200:
        return False
    return any(re.search(rf"(?<!\w\.)(?<!\w)\.?{name}\b", node.value) for name in FORMAT_NAMES)


def files_of(task: Task, checkout: Checkout) -> Found:
    """Source files that a task has for itself, and others that import from it; nothing where there is no such task."""
    own = [str(path) for path in checkout.sources if task.owns(path)]
    others = [str(path) for path, text in checkout.sources.items() if not task.owns(path) and task.imported(text)]
    if not own:
        return {}
    return {f"source files of {task.package}": own, f"other files that import from {task.package}": others}


def measured(checkout: Checkout) -> Found:
    """Processor time of an import, and how often a model's config.json is opened."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        lines = [f"{label},the {label} team number {n} won" for n in range(10) for label in ("red", "blue")]
        rows.write_text("label,text\n" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        train = ["train", "classify", "--model", "elmo-mini", "--train", rows, "--test", rows, "--epochs", "1"]
        train += ["--output", Path(folder) / "run", "--text-column", "text", "--label-column", "label"]
        train += ["--set", "valid_fraction=0.2"]
        words = list(map(str, train))
        program = f"import sys; sys.argv[1:] = {words}; from elmokit.cli.app import main; main()"
        load = "from elmokit import Encoder; Encoder.from_pretrained('elmo-mini')"
        seconds = min(import_seconds(checkout) for _ in range(3))
        return {
            "`from elmokit import Encoder`: seconds of processor time": f"{seconds:.2f}",
            "`Encoder.from_pretrained`: opens of config.json": opens(checkout, load),
            "`elmo train classify`: opens of config.json": opens(checkout, program),
        }


def import_seconds(checkout: Checkout) -> float:
    """User and system time of a process that imports the encoder."""
    before = getrusage(RUSAGE_CHILDREN)
    run(checkout, "from elmokit import Encoder")
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


COUNTING = """
import atexit, os, sys
opened = [0]
def count(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
        opened[0] += os.path.basename(os.fspath(arguments[0])) == "config.json" and "w" not in str(arguments[1])
sys.addaudithook(count)
atexit.register(lambda: print("opened", opened[0]))
"""


def opens(checkout: Checkout, program: str) -> int:
    """How often a program opens a file config.json to read it."""
    return int(run(checkout, COUNTING + program).rsplit("opened ", 1)[1])


def run(checkout: Checkout, program: str) -> str:
    """What a Python program of the checkout prints."""
    environment = {**os.environ, "PYTHONPATH": str(checkout.root / "src"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"a program of {checkout.root} failed:\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
