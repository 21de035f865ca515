"""The engine that options ask for."""

from __future__ import annotations

from elmokit.errors import ConfigError
from elmokit.machine import usable_cores
from elmokit.parts.engines import Engine
from elmokit.parts.engines.local import LocalEngine
from elmokit.parts.engines.ray import RayEngine


def chosen_engine(
    name: str, *, actors: int | None, threads: int, gpus: float = 0.0, address: str | None = None
) -> Engine:
    """An engine whose workers have so many threads each.

    Raises:
        ConfigError: An option belongs to another engine.
    """
    cores = usable_cores()
    if name == "ray":
        return RayEngine(actors, threads, gpus, address, cores)
    if gpus or address is not None:
        raise ConfigError(f"{'--gpus' if gpus else '--address'} is for --engine ray")
    return LocalEngine(actors or max(1, cores // threads))
