"""The card of a classifier."""

from __future__ import annotations

from typing import Any

from elmokit.tasks.model_card import card, file_names, training_of, what_it_is

_CODE = """from elmokit.tasks.classification import Classifier

classifier = Classifier.from_pretrained("THIS_FOLDER")
classifier.predict(["Stocks rose on Friday."])  # per text: labels with probabilities, best first"""


def classifier_card(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """Markdown; every figure comes from `metrics`."""
    sections = {
        "Scores": _scores(metrics),
        "Per class (test)": _per_class(metrics),
        "Data": _data(metrics, settings),
        "Training": training_of(metrics, settings),
    }
    return card(
        "text-classification", f"Text classifier on ELMo: {', '.join(metrics['labels'][:8])}", what_it_is(metrics),
        sections, scored_by=["accuracy", "f1"], code=_CODE, command='elmo predict THIS_FOLDER "Stocks rose on Friday."',
        limits="The scores hold for texts like the test rows. Classes it was not trained on do not exist for it: any "
        "text gets one of its labels.",
    )  # fmt: skip


def _scores(metrics: dict[str, Any]) -> str:
    lines = ["| split | rows | accuracy | macro precision | macro recall | macro F1 | loss |", f"|{'---|' * 7}"]
    for split in ("train", "validation", "test"):
        scores, macro = metrics[split], metrics[split]["macro"]
        cells = [f"{scores['accuracy']:.4f}", *(f"{macro[name]:.4f}" for name in ("precision", "recall", "f1"))]
        lines.append(f"| {split} | {scores['rows']:,} | {' | '.join(cells)} | {scores['loss']:.4f} |")
    if "baseline" in metrics:
        base = metrics["baseline"]
        lines.append(
            f"\nTF-IDF + linear SVM on {base['rows']:,} of these rows: test accuracy {base['test']['accuracy']:.4f}."
        )
    return "\n".join(lines)


def _per_class(metrics: dict[str, Any]) -> str:
    lines = ["| class | rows | precision | recall | F1 |", "|---|---|---|---|---|"]
    for label, scores in metrics["test"]["per_class"].items():
        figures = " | ".join(f"{scores[name]:.4f}" for name in ("precision", "recall", "f1"))
        shown = label.replace("|", "\\|")
        lines.append(f"| {shown} | {scores['rows']:,} | {figures} |")
    return "\n".join(lines)


def _data(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    lines = [f"- {split}: {rows:,} rows" for split, rows in metrics["rows"].items()]
    lines.append(f"- training files: {file_names(settings['train'])}; test files: {file_names(settings['test'])}")
    if settings["valid"]:
        lines.append(f"- validation files: {file_names(settings['valid'])}")
    else:
        lines.append(
            f"- validation: {settings['valid_fraction']:.0%} of the training files, the same share of each class, "
            f"drawn with seed {metrics['seed']}"
        )
    if settings["train_fraction"] < 1:
        lines.append(f"- only {settings['train_fraction']:.1%} of the remaining training rows were used")
    if metrics["train"]["rows"] < metrics["rows"]["train"]:
        lines.append(f"- the scores of train are those of {metrics['train']['rows']:,} of its rows, drawn at random")
    for source, troubles in metrics["left_out"].items():
        lines += [f"- {source} files: {count:,} {trouble}" for trouble, count in troubles.items()]
    if metrics["test_texts_seen_in_training"]:
        lines.append(f"- {metrics['test_texts_seen_in_training']:,} test texts also stand in the training rows")
    return "\n".join(lines)
