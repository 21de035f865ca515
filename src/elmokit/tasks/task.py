"""What a task is: a `Task` says what is its own, `run_task` (run.py) does what all have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from numpy.typing import NDArray
from torch import Tensor

from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.tasks.config import HeadConfig, ProblemType
from elmokit.tasks.inputs.batches import Batch, BatchDataset
from elmokit.tasks.plan import Schedule
from elmokit.tasks.report import Baseline, RunMetrics, Scored
from elmokit.tasks.trained import Tokenizer, TrainedOn
from elmokit.whole_files import JsonObject

if TYPE_CHECKING:
    from elmokit.tasks.model_card import Card
    from elmokit.text.records import Record

C = TypeVar("C", bound=HeadConfig)
D = TypeVar("D", bound="TaskData")


class TaskData(Protocol):
    """The rows of a run, read, checked and split."""

    @property
    def counts(self) -> dict[str, int]:
        """Rows of train, validation and test."""


@dataclass(frozen=True)
class HeadShape:
    """What the data decides about a head: its labels, and fields of the model's configuration."""

    labels: Sequence[str] = ()
    problem_type: ProblemType | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Datasets:
    """Rows as batches.

    Attributes:
        train, validation: What is trained on, and what the best epoch is chosen by.
        scored: What the report scores, by the name of its part, where that is not read from the data itself.
        batch_size: Rows of a batch, where a row is not one text.
    """

    train: BatchDataset
    validation: BatchDataset
    scored: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int | None = None


@dataclass
class Run(Generic[C, D]):
    """A run under way, as `run_task` hands it to its task.

    Attributes:
        config: Resolved settings.
        schedule: Epochs, batch size and rate.
        work: The folder that grows.
        data: What `Task.load` gave.
        model, tokenizer: To be trained, later trained.
        datasets: What `Task.datasets` gave.
    """

    config: C
    schedule: Schedule
    work: Path
    data: D
    model: Any
    tokenizer: ElmoTokenizer
    datasets: Datasets = field(init=False)


class Predictor(Protocol):
    """A trained model on new inputs: texts, or tuples of texts where an input has several `parts`."""

    @property
    def parts(self) -> Sequence[str]:
        """The names of the parts of an input, in order; none where it is one text."""

    @property
    def tokenizer(self) -> Tokenizer:
        """How it reads text."""

    @property
    def trained_on(self) -> TrainedOn:
        """How the files of its training were read."""

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Any:
        """Load what `run_task` left."""

    def predict(self, inputs: Sequence[Any]) -> list[Any]:
        """A result for each input, in order; alone or in a batch it is the same."""

    def stream(self, inputs: Iterable[Any], *, chunk: int = 1024) -> Iterator[tuple[Any, Any]]:
        """`predict` over any number of inputs, each with its result, with the memory of `chunk` of them."""

    def score(self, files: Sequence[str]) -> Mapping[str, Any]:
        """The scores of the report on test files; how they are read may be given by name."""

    def read_rows(self, file: Path) -> Iterable[tuple[Any, Record | None]]:
        """The inputs in a file, where they have parts, with their rows; all is checked before the first is given."""

    def line(self, given: Any, result: Any, *, alone: bool) -> str:
        """A result for people; `alone`: the input stands just above. The result of a text without words is None."""

    def record(self, given: Any, result: Any) -> JsonObject:
        """The same for JSON."""

    def score_lines(self, scores: Mapping[str, Any]) -> str:
        """What `score` gives, for people."""


class Task(Protocol[C, D]):
    """A head on a biLM, from files to a report. `elmokit.tasks.TASKS` lists them, `elmo train NAME` runs them.

    Attributes:
        name: As in `elmo train NAME` and in `training.yaml`.
        unit: What its rows are called: rows, sentences, questions, pairs.
        Model: The class of its models.
        curves: Validation scores that are drawn, by name, with their label.
        evaluation_factor: Rows a batch of validation has for one of training.
    """

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def Model(self) -> type[ElmoMixedModel]: ...
    @property
    def curves(self) -> Mapping[str, str]: ...
    @property
    def evaluation_factor(self) -> int: ...

    def load(self, config: C, work: Path) -> D:
        """Read, check and split what the settings name; `work` may contain what an unfinished run settled.

        Raises:
            DataError: With file and line.
        """

    def shape(self, data: D) -> HeadShape:
        """Labels and sizes of the head."""

    def words(self, data: D, tokenizer: ElmoTokenizer) -> Iterable[Sequence[str]]:
        """The words of all texts of a run, as its model reads them: for these static vectors are loaded."""

    def datasets(self, run: Run[C, D]) -> Datasets:
        """The rows as batches of the model's inputs, with labels."""

    def step(self, model: Any, inputs: Batch, config: C) -> tuple[Tensor, Tensor, Tensor]:
        """The loss of a validation batch, predictions (B, …) and labels (B, …) for `epoch_scores`; no gradients."""

    def epoch_scores(self, run: Run[C, D], found: NDArray[Any], gold: NDArray[Any]) -> dict[str, float]:
        """What is measured on the validation rows after each epoch; `config.watched` is one of them, or the loss.

        `found` and `gold` are the predictions and labels of all batches of `step` (N, …), the longest rows first.
        """

    def scores(self, run: Run[C, D]) -> Scored:
        """What the trained model is judged by. Test predictions are written to `run.work`."""

    def chance(self, metrics: RunMetrics) -> float:
        """The main test score up to which a result is no better than a guess."""

    def summary(self, metrics: RunMetrics) -> str:
        """The scores as the command line prints them."""

    def report_sections(self, metrics: RunMetrics, settings: Mapping[str, Any]) -> Card:
        """The card: what is special to the task in it. Every figure comes from `metrics`."""


@runtime_checkable
class HasBaseline(Protocol):
    """A `Task` that there is a usual method without a network for."""

    def baseline(self, run: Any) -> Baseline | None:
        """Scores of that method on the rows of a `Run`, where the settings ask for it."""
