"""Parts on a Ray cluster, by Ray Data: actors with the model, each part a block of one row.

Only part numbers and counts pass through Ray's object store: token vectors, 6 kB per word, are written by the actors.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from elmokit.errors import ConfigError, DataError
from elmokit.extras import needs
from elmokit.parts.engines.local import ATTEMPTS
from elmokit.parts.work import Counts, Part, Result, Work, Worker
from elmokit.text.ranges import Range

log = logging.getLogger(__name__)

IN_FLIGHT = 2
"""Parts that an actor has or that wait for it."""
OWN_CLUSTER = {
    "RAY_worker_niceness": "0",  # 15: as nice as the command itself
    "RAY_enable_metrics_collection": "0",
    "RAY_task_events_report_interval_ms": "0",  # no events
    "RAY_event_stats": "0",
    "RAY_raylet_report_resources_period_milliseconds": "1000",  # 100
    "RAY_raylet_check_gc_period_milliseconds": "1000",  # 100
    "RAY_gcs_pull_resource_loads_period_milliseconds": "10000",  # 1000
    "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD": "0",  # 1000; from here on it looks for new files more seldom
}
"""Ray's settings for a cluster of this machine alone, which nobody watches, and Ray's own values: less work beside the
parts. What the environment says already has precedence."""
_RETRIES = 5  # of a part; Ray counts attempts to reach an actor that is starting again, too


@dataclass(frozen=True)
class RayEngine:
    """Attributes:
    actors: How many; None: as many as the cluster has room for.
    cpus: Of each actor.
    gpus: Of each actor; may be a fraction.
    address: Of a running cluster, or "auto"; None: a cluster of this machine alone, for this run.
    cores: CPUs of a cluster of this machine.
    """

    actors: int | None = None
    cpus: int = 1
    gpus: float = 0.0
    address: str | None = None
    cores: int = 1

    def results(self, work: Work, windows: Iterator[list[Part]]) -> Iterator[Result]:
        """See `Engine`."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        needs("--engine ray", "ray", "pyarrow")
        ray: Any = import_module("ray")
        import_module("ray.data")

        began = not ray.is_initialized()
        if began:
            self._connect(ray)
        try:
            there = ray.cluster_resources()
            room = self._room(there)
            wanted = self.actors or room
            if wanted < 1 or wanted > room:
                raise ConfigError(
                    f"the Ray cluster has {there.get('CPU', 0):g} CPUs and {there.get('GPU', 0):g} GPUs: room for "
                    f"{room} actors of {self.cpus} CPUs and {self.gpus:g} GPUs plus one CPU for reading, "
                    f"{max(wanted, 1)} were asked for (--actors, --threads, --gpus)"
                )
            for window in windows:
                yield from self._persistent(ray, work, window)
        finally:
            if began:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        """Start a cluster, or join the one asked for. One that a killed run left is not joined by itself."""
        own: dict[str, Any] = {}
        if self.address is None:
            wanted = self.actors or max(1, self.cores // self.cpus)
            if wanted * self.cpus > self.cores:
                raise ConfigError(
                    f"--actors {wanted} with --threads {self.cpus} need {wanted * self.cpus} cores, this machine has "
                    f"{self.cores}: take fewer, or name a larger cluster with --address"
                )
            # One more than the actors take: reading the list of parts needs one, and hangs without.
            own = {"include_dashboard": False, "num_cpus": wanted * self.cpus + 1}
        try:
            with _environment(OWN_CLUSTER if own else {}):  # Ray's processes inherit it
                ray.init(address=self.address or "local", log_to_driver=False, logging_level="ERROR", **own)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(f"no Ray cluster answers at --address {self.address}: {error}") from error

    def _room(self, there: dict[str, float]) -> int:
        """How many actors have room among these resources; one CPU is left for reading the list of parts."""
        room = int((there.get("CPU", 0) - 1) // self.cpus)
        return min(room, int(there.get("GPU", 0) // self.gpus)) if self.gpus else room

    def _persistent(self, ray: Any, work: Work, window: list[Part]) -> Iterator[Result]:
        """A window of parts; when a node is lost, what is missing of it is given to the actors that are left."""
        missing = {part.number: part for part in window}
        for attempt in range(1, ATTEMPTS + 1):
            room = max(1, self._room(ray.cluster_resources()))
            actors = min(self.actors or room, room, len(missing))
            try:
                for result in self._window(ray, work, list(missing.values()), actors):
                    missing.pop(result.number, None)
                    yield result
                return
            except ray.exceptions.RayError as error:
                reason = " ".join(str(error).split())[-300:]
                if attempt == ATTEMPTS:
                    raise DataError(f"the Ray cluster gave up: {reason}; what is done is kept") from error
                log.warning("the Ray cluster lost something (%s): %d parts are given out again", reason, len(missing))

    def _window(self, ray: Any, work: Work, window: list[Part], actors: int) -> Iterator[Result]:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = 0  # with -1 a dead actor would hang the run
        rows = [
            {
                "number": part.number,
                "file": part.range.file,
                "unit": part.range.unit,
                "start": part.range.start,
                "end": part.range.end,
            }
            for part in window
        ]
        data = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Actor,
            fn_constructor_args=(work,),
            batch_size=1,
            num_cpus=self.cpus,
            num_gpus=self.gpus or None,
            compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=IN_FLIGHT),
            max_restarts=-1,
            max_task_retries=_RETRIES,
        )
        for row in data.iter_rows():
            yield Result(int(row["number"]), Counts(*(int(n) for n in row["counts"])), str(row["error"]))


class _Actor:
    """A worker as Ray Data calls it: a batch is one part."""

    def __init__(self, work: Work) -> None:
        self.worker = Worker(work)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        (number,), (file,), (unit,) = batch["number"], batch["file"], batch["unit"]
        part = Part(int(number), Range(str(file), unit, int(batch["start"][0]), int(batch["end"][0])))
        result = self.worker(part)
        return {
            "number": np.array([result.number]),
            "counts": np.array([result.counts], dtype=np.int64),
            "error": np.array([result.error], dtype=object),
        }


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """These variables for the block, where they have no value."""
    added = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
