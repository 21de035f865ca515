"""Sentences to begin with: five ambiguous words, two senses each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from elmokit.web.responses import Examples, ExampleSense, ExampleWord


@cache
def examples() -> Examples:
    """The content of `examples.yaml`: word, sense, sentences."""
    content = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return Examples(
        words=[
            ExampleWord(
                word=word,
                senses=[ExampleSense(sense=sense, sentences=sentences) for sense, sentences in senses.items()],
            )
            for word, senses in content.items()
        ]
    )
