"""The whole preparation, resumed where it was interrupted.

In the folder are `cleaned/NAME.txt` for every source, `elmo_mini/` with the text of the first elmo-mini, and at the
end `train.txt`, `valid.txt`, `valid/NAME.txt` and `sources.json`. `run.json` has the sum of every file that is read: a
run continues with these or not at all.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from elmokit.errors import ConfigError
from elmokit.progress import rate_bar
from elmokit.text.sentence_borders import split_sentences
from elmokit.text.words import SPLITTER_VERSION
from english_text.cleaning import RULES, write_cleaned
from english_text.data_folder import DataFolder
from english_text.evaluation_sets import EVALUATION_SETS, EWT_SETS, EvaluationSet
from english_text.first_text import FIRST_FILES, FIRST_SOURCES, Paragraphs, write_sentences
from english_text.matching import EvaluationTexts, plain_words
from english_text.mixture import Mixture, Part, Size, read_documents
from english_text.run_folder import PARTIAL, check_unchanged, checked_sums, digest, finished, open_folder, write_record
from english_text.sources import HELD_OUT_SOURCE, SOURCES, Source

SEED = 13
HELD_OUT = 0.005
_FIRST_HELD_OUT = "old_elmo_mini"


@dataclass(frozen=True)
class Collections:
    """What a preparation reads.

    Attributes:
        sources: In the order in which the first to have a sentence keeps it.
        held_out: Sources of held-out text alone.
        evaluation: Sets whose sentences are kept out.
        short: For single sources, sets of which the short sentences are kept out as well.
        first: Sources of the first elmo-mini, and their files.
    """

    sources: tuple[Source, ...]
    held_out: tuple[Source, ...]
    evaluation: Mapping[str, EvaluationSet]
    short: Mapping[str, Mapping[str, EvaluationSet]]
    first: Mapping[str, Paragraphs]
    first_files: tuple[str, ...]


ENGLISH = Collections(SOURCES, (HELD_OUT_SOURCE,), EVALUATION_SETS, {"ud_ewt": EWT_SETS}, FIRST_SOURCES, FIRST_FILES)


def prepare(
    root: Path,
    folder: Path,
    *,
    weights: Mapping[str, float] | None = None,
    seed: int = SEED,
    held_out: float = HELD_OUT,
    overwrite: bool = False,
    show_progress: bool = True,
    collections: Collections = ENGLISH,
) -> dict[str, Any]:
    """Write the text to `folder`; returns the content of its `sources.json`.

    Args:
        root: The data folder.
        folder: Gets the text.
        weights: Weights of sources that differ from their own; with 0 a source is not read.
        seed: Of what is drawn.
        held_out: The fraction of each source's words that is held out.
        overwrite: Start anew in a folder that was used.
        show_progress: Bars on standard error.
        collections: What is read.

    Raises:
        ConfigError: A weight for an unknown source or of no use, a folder that is no preparation's.
        DataError: A file is missing, cut off, damaged, empty, or changed since the run began.
    """
    used = chosen_weights(collections.sources, weights or {})
    if not 0 < held_out < 0.5:
        raise ConfigError(f"--held-out is {held_out}; expected a fraction above 0 and below 0.5")
    open_folder(folder, overwrite=overwrite)
    return _Preparation(root, folder, collections, used, show_progress).run(seed, held_out)


def chosen_weights(sources: tuple[Source, ...], changed: Mapping[str, float]) -> dict[str, float]:
    """The weight of every source.

    Raises:
        ConfigError: For an unknown source, below 0 or no number, or no source is left.
    """
    weights = {source.name: source.weight for source in sources}
    for name, weight in changed.items():
        if name not in weights:
            raise ConfigError(f"--weight {name}: there is no such source; known are {', '.join(weights)}")
        if not (math.isfinite(weight) and weight >= 0):
            raise ConfigError(f"--weight {name}={weight}: expected 0 or a positive number")
    weights |= changed
    if not any(weights.values()):
        raise ConfigError("every source has --weight 0: expected one with more")
    return weights


class _Preparation:
    def __init__(
        self, root: Path, folder: Path, collections: Collections, weights: Mapping[str, float], show: bool
    ) -> None:
        self.data, self.folder, self.show, self.collections = DataFolder(root), folder, show, collections
        self.sources = tuple(source for source in collections.sources if weights[source.name])
        self.weights = {source.name: weights[source.name] for source in self.sources}
        self._evaluation_files = [name for known in collections.evaluation.values() for name in known.files(self.data)]
        self.sums = self._checked_sums()

    def run(self, seed: int, held_out: float) -> dict[str, Any]:
        """Everything that is not there yet."""
        cleaned = {source.name: self._cleaned(source) for source in (*self.sources, *self.collections.held_out)}
        self._first_text()
        settings = {"seed": seed, "held_out": held_out, "weights": self.weights}
        made_of = digest(settings, [record["made_of"] for record in cleaned.values()], self._first_made_of)
        record = self.folder / "sources.json"
        done = finished(record, made_of)
        if done is None:
            record.unlink(missing_ok=True)
            done = {"settings": settings, **self._mix(cleaned, seed, held_out)}
            write_record(record, made_of, done)
        return done

    def _checked_sums(self) -> dict[str, str]:
        files = [name for source in (*self.sources, *self.collections.held_out) for name in source.files]
        names = dict.fromkeys([*files, *self._evaluation_files, *self.collections.first_files])
        return checked_sums(self.folder, self.data, names)

    @cached_property
    def _kept_out(self) -> EvaluationTexts:
        files = self._evaluation_files
        with rate_bar("evaluation texts", sum(map(self.data.size, files)), unit="bytes", show=self.show) as advance:
            data = DataFolder(self.data.root, advance=advance)
            known = EvaluationTexts(text for each in self.collections.evaluation.values() for text in each.texts(data))
        check_unchanged(self.data, self.sums, files)
        return known

    def _cleaned(self, source: Source) -> dict[str, Any]:
        """The record of a source as sentences, made now when it is not there."""
        path = self.folder / "cleaned" / f"{source.name}.txt"
        read = [*source.files, *self._evaluation_files]
        made_of = digest(RULES, SPLITTER_VERSION, [(name, self.sums[name]) for name in read])
        record = path.with_suffix(".json")
        done = finished(record, made_of)
        if done is not None and path.is_file() and path.stat().st_size == done["bytes"]:
            return done
        record.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        kept_out = self._kept_out
        with rate_bar(source.name, sum(map(self.data.size, source.files)), unit="bytes", show=self.show) as advance:
            documents = source.read(DataFolder(self.data.root, advance=advance))
            counts = write_cleaned(
                documents, path, name=source.name, kept_out=kept_out, short_too=self._short(source.name)
            )
        check_unchanged(self.data, self.sums, source.files)
        write_record(record, made_of, {"bytes": path.stat().st_size, "counts": counts.as_dict()})
        return {"made_of": made_of, "counts": counts.as_dict()}

    def _short(self, name: str) -> frozenset[bytes]:
        """Letters of all sentences of the sets that the source gives no sentence of."""
        texts = (text for known in self.collections.short.get(name, {}).values() for text in known.texts(self.data))
        sentences = (sentence for text in texts for sentence in (text, *split_sentences(text)))
        return frozenset(b"".join(plain_words(sentence)) for sentence in sentences)

    @property
    def _first_made_of(self) -> str:
        files = [*self.collections.first_files, *self._evaluation_files]
        return digest(SPLITTER_VERSION, [(name, self.sums[name]) for name in files])

    def _first_text(self) -> None:
        """The text of the first elmo-mini, unless it is there."""
        target, made_of = self.folder / "elmo_mini", self._first_made_of
        if not self.collections.first or finished(target / "made_of.json", made_of) is not None:
            return
        files = self.collections.first_files
        with self._partial() as partial:
            with rate_bar("first elmo-mini", sum(map(self.data.size, files)), unit="bytes", show=self.show) as advance:
                write_sentences(self.collections.first, DataFolder(self.data.root, advance=advance), partial)
            check_unchanged(self.data, self.sums, files)
            write_record(partial / "made_of.json", made_of, {})
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)

    def _mix(self, cleaned: Mapping[str, dict[str, Any]], seed: int, held_out: float) -> dict[str, Any]:
        """Training and held-out files in place of those that were there."""
        texts = {source.name: self.folder / "cleaned" / f"{source.name}.txt" for source in self.sources}
        words = sum(cleaned[name]["counts"]["words"] for name in texts)
        with self._partial() as partial:
            with rate_bar("mixture", words, unit="words", show=self.show) as advance:
                mixture = Mixture(texts, partial, seed=seed, held_out=held_out, advance=advance)
                others = self._other_held_out(partial / "valid", mixture)
                mixture.write(self.weights)
            for name in ("train.txt", "valid.txt", "valid"):
                if (self.folder / name).is_dir():
                    shutil.rmtree(self.folder / name)
                (partial / name).rename(self.folder / name)
        return self._report(cleaned, mixture.parts, others)

    @contextmanager
    def _partial(self) -> Iterator[Path]:
        """An empty folder for unfinished files, removed with what is left in it."""
        partial = self.folder / PARTIAL
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _other_held_out(self, folder: Path, mixture: Mixture) -> dict[str, Size]:
        """Copy held-out texts that come from no training file, and keep what they say out of the mixture."""
        folder.mkdir()
        texts = {source.name: self.folder / "cleaned" / f"{source.name}.txt" for source in self.collections.held_out}
        if self.collections.first:
            texts[_FIRST_HELD_OUT] = self.folder / "elmo_mini" / "valid.txt"
        sizes: dict[str, Size] = {}
        for name, path in texts.items():
            shutil.copyfile(path, folder / f"{name}.txt")
            sizes[name] = Size()
            for document in read_documents(path):
                sizes[name].add(document)
                mixture.keep_out(document)
        return sizes

    def _report(
        self, cleaned: Mapping[str, dict[str, Any]], parts: Mapping[str, Part], others: Mapping[str, Size]
    ) -> dict[str, Any]:
        total = Part()
        for part in parts.values():
            for size, added in ((total.train, part.train), (total.held_out, part.held_out)):
                size.words, size.sentences = size.words + added.words, size.sentences + added.sentences
                size.documents += added.documents
        entries = {
            source.name: {
                "what": source.what, "attribution": source.attribution, "terms": source.terms,
                "weight": self.weights[source.name], "cleaned": cleaned[source.name]["counts"],
                **asdict(parts[source.name]),
            }
            for source in self.sources
        }  # fmt: skip
        held_out = {name: asdict(size) for name, size in others.items()}
        all_ = {"train": asdict(total.train), "held_out": asdict(total.held_out)}
        return {"sources": entries, "other_held_out": held_out, "all": all_}
