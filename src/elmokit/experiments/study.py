"""`run_study`: a comparison of methods from its settings to its report."""

from __future__ import annotations

import json
import logging

from elmokit.cache import cache_folder
from elmokit.errors import ConfigError
from elmokit.experiments.config import CompareConfig
from elmokit.experiments.plan import plan_study
from elmokit.experiments.results import collect
from elmokit.experiments.running import run_cells
from elmokit.report.study import Study
from elmokit.run_folder import single_writer, write_json

log = logging.getLogger(__name__)


def run_study(config: CompareConfig) -> Study:
    """Compute what is missing, and write `results.json`, `report.html`, `report.md` and `pictures/` into the output.

    Returns:
        The content of `results.json`.

    Raises:
        DataError, ModelError, ConfigError: Data, a model or a setting cannot be used, or another process writes to the
            output; nothing was computed. What goes wrong later leaves a gap in the table.
    """
    from elmokit.report.study_page import write_report

    if config.output.exists() and not config.output.is_dir():
        raise ConfigError(f"output {config.output} is a file, expected a folder (--output)")
    config = config.model_copy(update={"cache": config.cache or cache_folder("layers")})
    plan = plan_study(config)
    with single_writer(config.output):
        failures = run_cells(plan.cells, processes=config.processes, progress=config.progress)
        write_json(config.output / "results.json", collect(config, plan, failures))
        study: Study = json.loads((config.output / "results.json").read_text(encoding="utf-8"))
        for document in write_report(study, config.output):
            log.info("written: %s", document)
    return study
