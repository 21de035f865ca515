"""What `recognise.py` and `loading.py` ask of a format of model files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from elmokit.interop.imported import Imported


@dataclass(frozen=True)
class Given:
    """Files that were named apart from the model; None: they are looked for next to it."""

    options: Path | None = None
    vocabulary: Path | None = None


class Found(ABC):
    """A model of some format, not read yet.

    Attributes:
        has_states: Its sentences start from states of LSTMs.
        starts_warm: They start from a warm state unless that is declined.
    """

    has_states: ClassVar[bool] = True
    starts_warm: ClassVar[bool] = True

    @abstractmethod
    def read(self, *, dtype: str, whole: bool) -> Imported:
        """The model, in evaluation mode.

        Args:
            dtype: "float32", "bfloat16" or "float16".
            whole: With its head, where it is a model of ours that has one.

        Raises:
            ModelError: A file is missing, damaged, unsafe, or does not fit the others.
        """


@dataclass(frozen=True, kw_only=True)
class ModelFormat:
    """A format: its module has `detect`, and in the `Found` that it gives `read`. PyTorch is imported by `read`.

    Attributes:
        detect: The model at a path, which may be a folder or a file; None: no model of this format.
        endings: Of files that are looked for in a folder where no folder is a model.
        expected: What a folder of this format contains, for errors; empty: it has no folders.
        files: Usual endings of its files, for errors.
    """

    detect: Callable[[Path, Given], Found | None]
    endings: tuple[str, ...] = ()
    expected: str = ""
    files: tuple[str, ...] = ()
