"""What every test may rely on: no network, one CPU thread, no screen, and the study data where it is set."""

from __future__ import annotations

import logging
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from collections.abc import Iterator

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
SLOW_FOLDERS = ("integration", "web")  # runs from files to reports, and pages in a browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks whole folders as slow: `-m "not slow"` is the quick part, `make quick`."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)


settings.register_profile("elmokit", deadline=None, max_examples=50)
settings.load_profile("elmokit")


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """A command with --quiet sets the level of the package's log for its process: here, for the test alone."""
    logger = logging.getLogger("elmokit")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.fixture(scope="session")
def elmokit_data() -> Path:
    """Folder of the study data sets; tests that ask for it are skipped, with the reason, where it is not set."""
    folder = os.environ.get("ELMOKIT_DATA")
    if not folder:
        pytest.skip("set ELMOKIT_DATA to the folder of the data sets (ag_news/, …) to run this test")
    if not Path(folder).is_dir():
        pytest.skip(f"ELMOKIT_DATA={folder} is not a folder")
    return Path(folder)


@pytest.fixture(scope="module", params=["compiled", "PyTorch"])
def code_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test with the compiled kernels and without them."""
    from elmokit.nn.native import library

    if request.param == "compiled" and library.kernels() is None:
        pytest.skip(f"no compiled kernels: {library.status()}")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "PyTorch":
            patch.setattr(library, "_found", lambda: (None, "PyTorch (a test)"))
        yield request.param
