"""The classes of a head, by number, as `config.json` has them."""

# No `from __future__ import annotations`: `ElmoConfig`, which has these fields too, checks their types at run time.

from dataclasses import dataclass

from elmokit.nn.heads.mixed import MixedShape

_UNNAMED = 2  # classes where none are named, as in transformers


@dataclass(kw_only=True)
class LabelledShape(MixedShape):
    """A head that tells classes apart: names by number. JSON has numbers as text."""

    id2label: dict[int, str] | dict[str, str] | None = None

    @property
    def labels(self) -> list[str]:
        """The names of the classes in the order of their numbers."""
        named = {int(number): str(label) for number, label in (self.id2label or {}).items()}
        return [label for _, label in sorted(named.items())] or [f"LABEL_{number}" for number in range(_UNNAMED)]
