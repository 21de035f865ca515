"""The card of a tagger."""

from __future__ import annotations

from typing import Any

from elmokit.tasks.model_card import card, file_names, training_of, what_it_is

_CODE = """from elmokit.tasks.tagging import Tagger

tagger = Tagger.from_pretrained("THIS_FOLDER")
tagger.predict(["Ada Lovelace lived in London."])  # per text: spans with label, text and character offsets"""
_FIGURES = ("precision", "recall", "f1")


def tagger_card(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """Markdown; every figure comes from `metrics`."""
    lines = ["| split | sentences | words | precision | recall | F1 |", f"|{'---|' * 6}"]
    for split in ("train", "validation", "test"):
        scores = metrics[split]
        figures = " | ".join(f"{scores[name]:.4f}" for name in _FIGURES)
        lines.append(f"| {split} | {scores['sentences']:,} | {scores['words']:,} | {figures} |")
    labels = ["| label | spans | precision | recall | F1 |", f"|{'---|' * 5}"]
    for label, scores in metrics["test"]["per_label"].items():
        figures = " | ".join(f"{scores[name]:.4f}" for name in _FIGURES)
        labels.append(f"| {label} | {scores['spans']:,} | {figures} |")
    data = [f"- {split}: {rows:,} sentences" for split, rows in metrics["rows"].items()]
    data.append(f"- training files: {file_names(settings['train'])}; test files: {file_names(settings['test'])}")
    sections = {
        "Scores": "Of spans: borders and label right.\n\n" + "\n".join(lines),
        "Per label (test)": "\n".join(labels),
        "Data": "\n".join(data),
        "Training": training_of(metrics, settings),
    }
    what = f"{what_it_is(metrics)} A CRF chooses the tags of a sentence together ({settings['scheme']})."
    if settings.get("context_words"):
        what += (
            f" The language model reads a document in runs of sentences, {settings['context_words']} words or so each."
        )
    return card(
        "token-classification", f"Tagger on ELMo: {', '.join(metrics['labels'][:8])}", what, sections,
        scored_by=["f1", "precision", "recall"], code=_CODE,
        command='elmo predict THIS_FOLDER "Ada Lovelace lived in London."',
        limits="The scores hold for texts like the test sentences.",
    )  # fmt: skip
