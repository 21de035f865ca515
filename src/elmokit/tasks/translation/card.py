"""The card of a translator."""

from __future__ import annotations

from typing import Any

from elmokit.tasks.model_card import card, file_names, training_of, what_it_is

_CODE = """from elmokit.tasks.translation import Translator

translator = Translator.from_pretrained("THIS_FOLDER")
translator.translate(["Ein Hund rennt."])  # a text each"""


def translator_card(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """Markdown; every figure comes from `metrics`."""
    scores = metrics["test"]
    low, high = scores["interval"]
    search = f"beam of {settings['beam_size']}, `{settings['length_norm']}` length normalisation"
    data = [f"- {split}: {rows:,} pairs" for split, rows in metrics["rows"].items()]
    data += [f"- {split} files: {file_names(settings[f'{split}_source'])} → {file_names(settings[f'{split}_target'])}"
             for split in ("train", "test")]  # fmt: skip
    if metrics["left_out"]:
        data.append(f"- {metrics['left_out']:,} training pairs were too long and left out")
    sections = {
        "Scores": f"BLEU {scores['bleu']:.2f} on {scores['sentences']:,} test sentences (95 % of bootstrap draws: "
        f"{low:.2f} to {high:.2f}); {search}.\n\n`{scores['signature']}`",
        "Data": "\n".join(data),
        "Training": training_of(metrics, settings),
    }
    return card(
        "translation", "Translator on ELMo",
        f"{what_it_is(metrics)} An attentive LSTM decoder writes the target in {metrics['target_pieces']:,} pieces.",
        sections, scored_by=["bleu"], code=_CODE, command='elmo predict THIS_FOLDER "Ein Hund rennt."',
        limits="The scores hold for sentences like those of the test.",
    )  # fmt: skip
