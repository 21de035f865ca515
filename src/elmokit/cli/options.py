"""Options that several commands have, how lists in them are read, and what they print alike."""

from __future__ import annotations

import inspect
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from elmokit.text.formats import titles
from elmokit.whole_files import JsonObject, json_text

if TYPE_CHECKING:
    from elmokit.text.records import FileOptions, Record

COLUMNS = "name, or number from 1"
FORMATS = f"{titles()}, also packed; files or globs"
INPUT = f"{FORMATS[0].upper()}{FORMATS[1:]}."
ANY_MODEL = "Folder of any ELMo, .hdf5, .zip, http(s) address or hub id."
CLEAN = (
    "Clean-up steps, as clean_markup,lower_case; others: unicode_nfc, expand_contractions, replace_urls, "
    "remove_punctuation."
)

AnyModel = Annotated[str, typer.Argument(help=ANY_MODEL)]
SourceModel = Annotated[str, typer.Argument(metavar="SRC", help="Folder, .hdf5, .zip, http(s) address or hub id.")]
OptionsFile = Annotated[str | None, typer.Option(help="Options file of a .hdf5 model in another folder.")]
VocabularyFile = Annotated[str | None, typer.Option(help="Vocabulary of a word-level model in another folder.")]
Pretokenized = Annotated[
    bool | None,
    typer.Option("--pretokenized/--split-words", help="Words are separated by spaces. [default: as in pretraining]"),
]
AlreadySplit = Annotated[
    bool | None, typer.Option("--pretokenized/--split-words", help="Words are already separated by spaces.")
]
Column = Annotated[str | None, typer.Option(help=f"Column(s) with the text: {COLUMNS}; '2-'.")]

# How files are written where that does not show in them.
Header = Annotated[bool | None, typer.Option("--header/--no-header", help="Tables: the first row has names.")]
Delimiter = Annotated[str | None, typer.Option(help="Tables: character between columns, or tab.")]
Quote = Annotated[str | None, typer.Option(help='Tables: " or \\ (" with \\" inside) or none.')]
Encoding = Annotated[str | None, typer.Option(help="Of text files, e.g. utf-16, cp1252. [default: UTF-8]")]
SplitSentences = Annotated[
    bool | None, typer.Option("--split-sentences", help="Cut every text into its sentences first.")
]


@dataclass(frozen=True)
class Reading:
    """What is said of files with text: `reads_text` makes an option of each field."""

    column: Column = None
    header: Header = None
    delimiter: Delimiter = None
    quote: Quote = None
    encoding: Encoding = None
    split_sentences: SplitSentences = None

    def files(self) -> FileOptions:
        """All but the column, as readers take it."""
        from elmokit.text.records import FileOptions

        return FileOptions(self.header, self.delimiter, self.quote, self.encoding, self.split_sentences or False)

    def texts(self, names: str | Path | Iterable[str | Path], *, pretokenized: bool) -> Iterator[Record]:
        """The texts of files; a warning where raw ones show signs of split words."""
        from elmokit.text.readers import read_texts, refuse_unread_options
        from elmokit.text.tokenized_text import warned_of_tokens

        refuse_unread_options(self.files(), pretokenized=pretokenized)
        records = read_texts(names, column=self.column, options=self.files())
        return records if pretokenized else warned_of_tokens(records)


NOT_SAID = Reading()


def takes(function: Any, parameters: Iterable[inspect.Parameter]) -> None:
    """Let a function have these parameters, as typer sees it."""
    function.__signature__ = inspect.Signature(list(parameters))
    function.__annotations__ = {name: each.annotation for name, each in function.__signature__.parameters.items()}


def parameter_for(name: str, annotation: Any, default: object = None) -> inspect.Parameter:
    """A parameter that is given by name, as an option is."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def reads_text(command: Callable[..., None], more: Mapping[str, str] | None = None) -> Callable[..., None]:
    """The options of a `Reading`, in place of the parameter `reading` of a command.

    In place of a `**parameter` it gets options for texts: the names of `more`, which has their help.
    """
    names = [field.name for field in fields(Reading)]
    options = inspect.signature(Reading, eval_str=True).parameters.values()
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if parameter.name == "reading":
            parameters += options
        elif parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            parameters.append(parameter)
    for name, text in (more or {}).items():
        parameters.append(parameter_for(name, Annotated[str | None, typer.Option(f"--{name}", help=text)]))

    @wraps(command)
    def with_options(**given: Any) -> None:
        reading = Reading(**{name: given.pop(name) for name in names})
        command(**given, reading=reading)

    takes(with_options, parameters)
    return with_options


ConfigFile = Annotated[Path | None, typer.Option(help="YAML file with any of these settings and more.")]
Backend = Annotated[
    Literal["torch", "onnx"] | None, typer.Option(help="Compute backend. [default: torch if installed]")
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:N or mps. [default: cuda or mps if available, else cpu]")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT if it exists.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only warnings and errors.")]


def files(given: list[str] | None) -> list[str] | None:
    """`F1,F2` and repeated options as one list; a file whose own name has a comma stays whole."""
    if not given:
        return None
    return [part for name in given for part in ([name] if Path(name).exists() else name.split(",")) if part]


def parts(given: str | None) -> list[str] | None:
    """`a,b` as a list."""
    return None if given is None else [part.strip() for part in given.split(",") if part.strip()]


def layers_of(given: str) -> Any:
    """The number of a layer, the numbers of several, or one of the names that `Encoder.encode` knows (and checks)."""
    if not re.fullmatch(r"-?[0-9]+(,-?[0-9]+)*", given):
        return given
    numbers = [int(number) for number in given.split(",")]
    return numbers if "," in given else numbers[0]


def show_messages(*, quiet: bool) -> None:
    """What the work says of itself goes to standard error; `quiet`: warnings alone."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("elmokit").setLevel(logging.WARNING if quiet else logging.INFO)


def bound_memory() -> None:
    """For commands whose work has no end: call it before torch loads.

    oneDNN keeps a product for each number of rows it has met, up to 1,024, and in a long text nearly every one comes.
    PyTorch keeps as many descriptions of such products, of a quarter of a megabyte each. Training, with few shapes and
    many steps of each, keeps them all: making them again takes 2 % of its time. A value set outside is kept.
    """
    for cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(cache, "64")


def print_facts(facts: JsonObject, *, as_json: bool) -> None:
    """Names with their values, a line each, or as JSON. What is not known is a dash."""
    if as_json:
        typer.echo(json_text(facts))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        shown = "; ".join(value) if isinstance(value, list) else value
        typer.echo(f"{name:<{width}}  {'—' if shown in (None, '') else shown}")
