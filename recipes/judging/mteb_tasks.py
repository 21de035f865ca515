"""The sets of the data folder as tasks of MTEB: nothing is downloaded, MTEB scores them by its own protocols.

STS is scored by Spearman's ρ of the cosine over all pairs of a year, pairs by average precision of the cosine,
classes by logistic regression on eight sentences of each class, ten draws (Muennighoff et al. 2023). The texts are
those of the data folder, not MTEB's copies: figures stand beside its own only about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from datasets import Dataset, DatasetDict
from mteb.abstasks import AbsTask
from mteb.abstasks.classification import AbsTaskClassification
from mteb.abstasks.pair_classification import AbsTaskPairClassification
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata

from english_text.data_folder import DataFolder
from judging.sentence_sets import Labelled, opinions, paraphrases, similarity

Kind = Literal["STS", "Classification", "PairClassification"]
Splits = Mapping[str, Mapping[str, Sequence[Any]]]
"""Columns by name, by split."""

_KINDS: dict[Kind, tuple[type[Any], str]] = {
    "STS": (AbsTaskSTS, "cosine_spearman"),
    "Classification": (AbsTaskClassification, "accuracy"),
    "PairClassification": (AbsTaskPairClassification, "max_ap"),
}
YEARS = ("12", "13", "14", "15", "16")


def task(kind: Kind, name: str, read: Callable[[], Splits]) -> AbsTask:
    """A task whose data `read` gives when MTEB asks for it."""
    base, score = _KINDS[kind]

    def load_data(self: Any, *_: Any, **__: Any) -> None:
        splits = {split: Dataset.from_dict(dict(columns)) for split, columns in read().items()}
        self.dataset = DatasetDict(splits)
        self.data_loaded = True

    metadata = TaskMetadata(
        name=name,
        description=f"{name} of the data folder",
        dataset={"path": name, "revision": "local"},
        type=kind,
        category="t2t" if kind != "Classification" else "t2c",
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score=score,
    )
    made: AbsTask = type(name, (base,), {"metadata": metadata, "load_data": load_data})()
    return made


def tasks(data: DataFolder) -> list[AbsTask]:
    """STS 2012 to 2016, CR, MPQA and MRPC."""
    years = [task("STS", f"STS{year}Files", partial(_year, data, year)) for year in YEARS]
    return [
        *years,
        task("Classification", "CRFiles", lambda: _halves(opinions(data, "CR"))),
        task("Classification", "MPQAFiles", lambda: _halves(opinions(data, "MPQA"))),
        task("PairClassification", "MRPCFiles", lambda: {"test": _columns(paraphrases(data, "test"))}),
    ]


def _year(data: DataFolder, year: str) -> Splits:
    pairs = [pair for rows in similarity(data, year).values() for pair in rows]
    columns = {"sentence1": [p.one for p in pairs], "sentence2": [p.other for p in pairs]}
    return {"test": {**columns, "score": [p.score for p in pairs]}}


def _halves(data: Labelled) -> Splits:
    """Every other sentence is for training."""
    return {
        split: {"text": data.texts[start::2], "label": data.labels[start::2]}
        for start, split in enumerate(("train", "test"))
    }


def _columns(data: Labelled) -> Mapping[str, Sequence[Any]]:
    return {"sentence1": data.texts, "sentence2": data.others or [], "labels": data.labels}
