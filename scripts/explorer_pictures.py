"""The pictures of the explorer's page in docs/pictures, taken in a headless Chromium.

    python scripts/explorer_pictures.py docs/pictures [--model elmo-mini] [--word bank]

It starts `elmo serve` on a free port and needs the Chromium of the system.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

SENTENCE = "The King of England sat on the throne and ate a bicycle."
BLANK = "He drew his ___ and killed the man."
NEWS = "Shares of the computer maker fell after it warned that sales of its new processor would be lower than expected."


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="elmo-mini")
    parser.add_argument("--word", default="bank", help="one of the examples")
    arguments = parser.parse_args()
    with served(arguments.model) as address, opened() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 930}, color_scheme="light")
        page.goto(f"{address}#senses?word={arguments.word}")
        page.locator("main").get_by_text(f"uses of “{arguments.word}”").first.wait_for()
        settled(page)
        page.screenshot(path=arguments.folder / "explorer-senses.png")
        page.goto(f"{address}#language-model")
        page.get_by_label("Sentences", exact=True).fill(SENTENCE)
        page.get_by_label("Sentence with a blank").fill(BLANK)
        page.get_by_role("button", name="Score").click()
        page.get_by_role("group", name=re.compile("bicycle")).wait_for()
        page.get_by_role("button", name="Fill the blank").click()
        settled(page)
        page.screenshot(path=arguments.folder / "explorer-language-model.png", full_page=True)
        page.goto(f"{address}#classify")
        page.get_by_label("Text", exact=True).fill(NEWS)
        page.get_by_role("button", name="Classify").click()
        page.get_by_role("heading", name=re.compile("The words that led to")).wait_for()
        settled(page)
        page.screenshot(path=arguments.folder / "explorer-classify.png", full_page=True)


@contextmanager
def served(model: str) -> Iterator[str]:
    """The address of `elmo serve`, on a free port."""
    command = [sys.executable, "-m", "elmokit", "serve", "--model", model, "--port", "0", "--log-level", "warning"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+?/", process.stdout.readline())
        if found is None:
            sys.exit("elmo serve did not start")
        yield found[0]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def opened() -> Iterator[Any]:
    """A browser."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("no Chromium on this machine (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--hide-scrollbars"])
        yield started
        started.close()


def settled(page: Any) -> None:
    """Wait until nothing moves."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)


if __name__ == "__main__":
    main()
