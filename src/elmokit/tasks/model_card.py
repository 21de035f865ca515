"""The README of a trained model: what it is, what it was trained on, what it scores, how to use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def classifier_card(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """Markdown with the front matter the model hub reads; every figure comes from `metrics`."""
    front = {
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["elmo", "elmokit", "text-classification"],
        "metrics": ["accuracy", "f1"],
    }
    blocks = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---",
        f"# Text classifier on ELMo: {', '.join(metrics['labels'][:8])}",
        _what(metrics),
        "## Scores\n\n" + _scores(metrics),
        "## Per class (test)\n\n" + _per_class(metrics),
        "## Data\n\n" + _data(metrics, settings),
        "## Training\n\n" + _training(metrics, settings),
        "## Use\n\n" + _USE,
        "## Limits\n\nThe scores hold for texts like the test rows. Classes it was not trained on do not exist for it: "
        "any text gets one of its labels. It was not checked for bias.",
    ]
    return "\n\n".join(blocks) + "\n"


def tagger_card(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """The card of a tagger."""
    front = {
        "library_name": "transformers",
        "pipeline_tag": "token-classification",
        "tags": ["elmo", "elmokit", "token-classification"],
        "metrics": ["f1", "precision", "recall"],
    }
    lines = ["| split | sentences | words | precision | recall | F1 |", f"|{'---|' * 6}"]
    for split in ("train", "validation", "test"):
        scores = metrics[split]
        figures = " | ".join(f"{scores[name]:.4f}" for name in ("precision", "recall", "f1"))
        lines.append(f"| {split} | {scores['sentences']:,} | {scores['words']:,} | {figures} |")
    labels = ["| label | spans | precision | recall | F1 |", f"|{'---|' * 5}"]
    for label, scores in metrics["test"]["per_label"].items():
        figures = " | ".join(f"{scores[name]:.4f}" for name in ("precision", "recall", "f1"))
        labels.append(f"| {label} | {scores['spans']:,} | {figures} |")
    data = [f"- {split}: {rows:,} sentences" for split, rows in metrics["rows"].items()]
    data.append(f"- training files: {_names(settings['train'])}; test files: {_names(settings['test'])}")
    blocks = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---",
        f"# Tagger on ELMo: {', '.join(metrics['labels'][:8])}",
        f"{_what(metrics)} A CRF chooses the tags of a sentence together ({settings['scheme']}).",
        "## Scores\n\nOf spans: borders and label right.\n\n" + "\n".join(lines),
        "## Per label (test)\n\n" + "\n".join(labels),
        "## Data\n\n" + "\n".join(data),
        "## Training\n\n" + _training(metrics, settings),
        "## Use\n\n" + _USE_TAGGER,
        "## Limits\n\nThe scores hold for texts like the test sentences. It was not checked for bias.",
    ]
    return "\n\n".join(blocks) + "\n"


def question_answerer_card(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """The card of a question answerer."""
    front = {
        "library_name": "transformers",
        "pipeline_tag": "question-answering",
        "tags": ["elmo", "elmokit", "question-answering"],
        "metrics": ["exact_match", "f1"],
    }
    lines = ["| split | questions | exact match (95 %) | F1 (95 %) |", f"|{'---|' * 4}"]
    for split in ("train", "validation", "test"):
        scores = metrics[split]
        figures = " | ".join(
            f"{scores[name]:.2f} ({scores[f'{name}_interval'][0]:.2f} to {scores[f'{name}_interval'][1]:.2f})"
            for name in ("exact_match", "f1")
        )
        lines.append(f"| {split} | {scores['questions']:,} | {figures} |")
    data = [
        f"- {split}: {rows:,} questions about {metrics['passages'][split]:,} passages"
        for split, rows in metrics["rows"].items()
    ]
    data.append(f"- training files: {_names(settings['train'])}; test files: {_names(settings['test'])}")
    if not settings["valid"]:
        data.append(
            f"- validation: {settings['valid_fraction']:.0%} of the training passages, with all their questions"
        )
    if settings["train_fraction"] < 1:
        data.append(f"- only {settings['train_fraction']:.1%} of the remaining training passages were used")
    if metrics["train"]["questions"] < metrics["rows"]["train"]:
        data.append(f"- the scores of train are those of {metrics['train']['questions']:,} questions, drawn at random")
    blocks = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---",
        "# Question answering on ELMo",
        _what(metrics, head="Bidirectional attention between passage and question, with BiLSTMs before and after it,"),
        "## Scores\n\nIn percent, as SQuAD 1.1 defines them. The intervals tell what other questions would change "
        "(bootstrap), not what another seed would.\n\n" + "\n".join(lines),
        "## Data\n\n" + "\n".join(data),
        "## Training\n\n" + _training(metrics, settings),
        "## Use\n\n" + _USE_QUESTION_ANSWERER,
        "## Limits\n\nIt answers every question with a span of the passage, also where the passage has no answer. "
        "The scores hold for passages and questions like the test's. It was not checked for bias.",
    ]
    return "\n\n".join(blocks) + "\n"


def translator_card(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """The card of a translator."""
    front = {
        "library_name": "transformers",
        "pipeline_tag": "translation",
        "tags": ["elmo", "elmokit", "translation"],
        "metrics": ["bleu"],
    }
    scores = metrics["test"]
    low, high = scores["interval"]
    search = f"beam of {settings['beam_size']}, `{settings['length_norm']}` length normalisation"
    data = [f"- {split}: {rows:,} pairs" for split, rows in metrics["rows"].items()]
    data += [f"- {split} files: {_names(settings[f'{split}_source'])} → {_names(settings[f'{split}_target'])}"
             for split in ("train", "test")]  # fmt: skip
    if metrics["left_out"]:
        data.append(f"- {metrics['left_out']:,} training pairs were too long and left out")
    blocks = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---",
        "# Translator on ELMo",
        f"{_what(metrics)} An attentive LSTM decoder writes the target in {metrics['target_pieces']:,} pieces.",
        f"## Scores\n\nBLEU {scores['bleu']:.2f} on {scores['sentences']:,} test sentences (95 % of bootstrap draws: "
        f"{low:.2f} to {high:.2f}); {search}.\n\n`{scores['signature']}`",
        "## Data\n\n" + "\n".join(data),
        "## Training\n\n" + _training(metrics, settings),
        "## Use\n\n" + _USE_TRANSLATOR,
        "## Limits\n\nThe scores hold for sentences like those of the test. It was not checked for bias.",
    ]
    return "\n\n".join(blocks) + "\n"


_USE_QUESTION_ANSWERER = """```python
from elmokit.tasks.question_answering import QuestionAnswerer

answerer = QuestionAnswerer.from_pretrained("THIS_FOLDER")
answerer.answer("Ada Lovelace lived in London.", "Where did Ada live?")  # text, start, end, score
```

or `elmo predict THIS_FOLDER --passage "Ada Lovelace lived in London." --question "Where did Ada live?"`"""
_USE_TRANSLATOR = """```python
from elmokit.tasks.translation import Translator

translator = Translator.from_pretrained("THIS_FOLDER")
translator.translate(["Ein Hund rennt."])  # a text each
```

or `elmo predict THIS_FOLDER "Ein Hund rennt."`"""
_USE_TAGGER = """```python
from elmokit.tasks.tagging import Tagger

tagger = Tagger.from_pretrained("THIS_FOLDER")
tagger.predict(["Ada Lovelace lived in London."])  # per text: spans with label, text and character offsets
```

or `elmo predict THIS_FOLDER "Ada Lovelace lived in London."`"""
_USE = """```python
from elmokit.tasks.classification import Classifier

classifier = Classifier.from_pretrained("THIS_FOLDER")
classifier.predict(["Stocks rose on Friday."])  # per text: labels with probabilities, best first
```

or `elmo predict THIS_FOLDER "Stocks rose on Friday."`"""


def _what(metrics: dict[str, Any], *, head: str = "A BiLSTM") -> str:
    bilm = "fine-tuned with it" if metrics["finetune"] else "frozen"
    mix = {"trainable": "a trained", "frozen": "a fixed", "function": "a learned-function"}[metrics["combine"]]
    beside = f", and static vectors (`{Path(metrics['vectors']).name}`) beside them" if metrics["vectors"] else ""
    total, trained = metrics["parameters"]["total"], metrics["parameters"]["trained"]
    return (
        f"{head} over {mix} mix of the layers of a bidirectional language model (`{Path(metrics['model']).name}`), "
        f"the language model {bilm}{beside}. {total:,} parameters, {trained:,} of them trained here."
    )


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
    lines.append(f"- training files: {_names(settings['train'])}; test files: {_names(settings['test'])}")
    if settings["valid"]:
        lines.append(f"- validation files: {_names(settings['valid'])}")
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


def _names(files: list[str]) -> str:
    return ", ".join(f"`{Path(file).name}`" for file in files)


def _training(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    rates = f"learning rate {settings['learning_rate']:g}"
    if metrics["finetune"]:
        rates += f" ({settings['finetune_learning_rate']:g} for the language model)"
    text = (
        f"Seed {metrics['seed']}, {metrics['epochs']} epochs, the best by validation {settings['best_by']} was epoch "
        f"{metrics['best_epoch']}; batches of {settings['batch_size']}, AdamW, {rates}. "
        f"{metrics['texts_per_second']:,.0f} texts a second, {metrics['seconds']['total']:,.0f} s in all. "
        "The test rows were used for nothing but the figures above."
    )
    if "lambdas" in metrics:
        shares = ", ".join(f"{value:.3f}" for value in metrics["lambdas"])
        text += f" Layer weights λ (tokens first): {shares}; γ {metrics['gamma']:.3f}."
    kept = ", ".join(f"{package} {version}" for package, version in metrics["versions"].items())
    return f"{text}\n\nVersions: {kept}. All settings: `training.yaml`; all figures: `metrics.json`."
