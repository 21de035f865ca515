"""The card of a question answerer."""

from __future__ import annotations

from typing import Any

from elmokit.tasks.model_card import card, file_names, training_of, what_it_is

_CODE = """from elmokit.tasks.question_answering import QuestionAnswerer

answerer = QuestionAnswerer.from_pretrained("THIS_FOLDER")
answerer.answer("Ada Lovelace lived in London.", "Where did Ada live?")  # text, start, end, score"""


def question_answerer_card(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """Markdown; every figure comes from `metrics`."""
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
    data.append(f"- training files: {file_names(settings['train'])}; test files: {file_names(settings['test'])}")
    if not settings["valid"]:
        data.append(
            f"- validation: {settings['valid_fraction']:.0%} of the training passages, with all their questions"
        )
    if settings["train_fraction"] < 1:
        data.append(f"- only {settings['train_fraction']:.1%} of the remaining training passages were used")
    if metrics["train"]["questions"] < metrics["rows"]["train"]:
        data.append(f"- the scores of train are those of {metrics['train']['questions']:,} questions, drawn at random")
    sections = {
        "Scores": "In percent, as SQuAD 1.1 defines them. The intervals tell what other questions would change "
        "(bootstrap), not what another seed would.\n\n" + "\n".join(lines),
        "Data": "\n".join(data),
        "Training": training_of(metrics, settings),
    }
    return card(
        "question-answering", "Question answering on ELMo",
        what_it_is(metrics, head="Bidirectional attention between passage and question, with BiLSTMs before and after "
                   "it,"),
        sections, scored_by=["exact_match", "f1"], code=_CODE,
        command='elmo predict THIS_FOLDER --passage "Ada Lovelace lived in London." --question "Where did Ada live?"',
        limits="It answers every question with a span of the passage, also where the passage has no answer. The scores "
        "hold for passages and questions like the test's.",
    )  # fmt: skip
