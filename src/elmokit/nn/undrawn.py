"""Networks whose weights a file will bring: built without drawing any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.overrides import TorchFunctionMode


class Undrawn(TorchFunctionMode):
    """Leaves weights as the memory was that they lie in.

    The meta device would do, too, but its first use takes a second of imports.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.__name__.endswith(("normal_", "uniform_")):  # in place, of a tensor or of torch.nn.init
            return None
        return func(*args, **(kwargs or {}))
