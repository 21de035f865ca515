"""The blocks that the cards of shipped models are made of, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.pretrain.perplexity import TextEvaluation
from shipping.history import Stage

_CURVE_ROWS = 12


def front(task: str, tags: list[str], *, license: str) -> str:
    """The metadata that model hubs read."""
    content = {"language": "en", "library_name": "elmokit", "pipeline_tag": task, "tags": tags, "license": license}
    return f"---\n{yaml.safe_dump(content, sort_keys=False)}---"


def example(code: str) -> str:
    """Python that shows how the model is used."""
    return f"```python\n{code}\n```"


def shape(config: ElmoConfig) -> str:
    """The network in one sentence."""
    filters = ", ".join(f"{count} of width {width}" for width, count in config.filters or ())
    table = f", next to it a table of {config.word_dim} numbers for each of {config.n_words - 1:,} frequent words"
    return (
        f"a CNN over the bytes of each word ({filters}; highway layers: {config.n_highway})"
        f"{table if config.word_dim else ''}, {config.n_layers} layers of LSTMs in each direction with "
        f"{config.cell_dim} cells and projections of {config.projection_dim}, vectors of {2 * config.projection_dim} "
        f"numbers in {config.n_layers + 1} layers."
    )


def sources(found: Mapping[str, Any]) -> str:
    """What a model read: the `sources.json` of `recipes/prepare_english.py`, with terms and attribution."""
    lines = ["| source | by | terms | times taken | words |", "|---|---|---|---|---|"]
    lines += [
        f"| {each['what']} | {each['attribution']} | {each['terms']} | {each['weight']:g} "
        f"| {each['train']['words']:,} |"
        for each in found["sources"].values()
    ]
    return "\n".join([*lines, f"| **all** | | | | {found['all']['train']['words']:,} |"])


def training(stages: Sequence[Stage], command: str) -> str:
    """Every stage a model was trained in, and the held-out perplexity of the last along its words."""
    words, hours = sum(stage.words for stage in stages), sum(stage.hours for stage in stages)
    text = stages[-1].train_words
    lines = [
        f"```\n{command}\n```",
        f"{words / 1e6:,.1f} M words were read in {len(stages)} stage{'s' * (len(stages) > 1)} ({words / text:.1f} "
        f"passes over a text of {text / 1e6:,.1f} M words and sentence ends) in {hours:.1f} hours of a machine that "
        "did other work besides. Every stage ends with a decay of the learning rate. Held-out perplexity is the mean "
        "of both directions. After a stage with a large head a smaller one was fitted to it, which ships; what that "
        "costs was measured on a part of the held-out text. A stage without these figures trained the small one.",
        "\n".join([
            "| stage | configuration | words | updates | hours | processor | perplexity, large head | small head |",
            "|---|---|---|---|---|---|---|---|",
            *(
                f"| {number} | `{each.config}` | {each.words / 1e6:.1f} M | {each.updates:,} | {each.hours:.1f} | "
                f"{each.processor}, {each.threads} thread{'s' * (each.threads > 1)}, {each.precision} | "
                f"{_figure(each.large_head)} | {_figure(each.small_head)} |"
                for number, each in enumerate(stages, start=1)
            ),
        ]),
        "Perplexity during the last stage, on a part of the held-out text; the learning rate falls towards the end:",
        _curve(stages[-1].curve),
    ]  # fmt: skip
    return "\n\n".join(lines)


def _figure(perplexity: float | None) -> str:
    return "" if perplexity is None else f"{perplexity:.1f}"


def _curve(curve: Sequence[tuple[int, float]]) -> str:
    step = max(1, len(curve) // _CURVE_ROWS)
    kept = [*curve[step - 1 : -1 : step], curve[-1]]
    numbers = " | ".join(f"{words / 1e6:.1f}" for words, _ in kept)
    figures = " | ".join(f"{perplexity:.0f}" for _, perplexity in kept)
    return f"| M words | {numbers} |\n|---|{'---|' * len(kept)}\n| perplexity | {figures} |"


def perplexities(found: Mapping[str, TextEvaluation]) -> str:
    """By text; unknown words are predicted as `<UNK>`."""
    lines = ["| text | words | unknown | forward | backward | mean |", "|---|---|---|---|---|---|"]
    for name, each in found.items():
        figures = " | ".join(
            f"{value or 0:.1f}" for value in (each.perplexity.forward, each.perplexity.backward, each.perplexity.mean)
        )
        lines.append(f"| {name} | {each.words:,} | {each.unknown:,} ({each.unknown / each.words:.1%}) | {figures} |")
    return "\n".join(lines)


def write(folder: Path, blocks: Sequence[str]) -> None:
    """Write the card of a model folder."""
    (folder / "README.md").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def report(folder: Path) -> None:
    """Print the size of a model folder and its card."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB\n\n{(folder / 'README.md').read_text(encoding='utf-8')}")
