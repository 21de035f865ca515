"""What the reader of a report should know before believing its scores, each with what to try."""

from __future__ import annotations

from elmokit.tasks.plan import Schedule
from elmokit.tasks.report import RunMetrics

FEW_TO_JUDGE = 20
"""Fewer validation rows than this give the same score for many epochs."""


def baseline_name(metrics: RunMetrics) -> str:
    """What notes call the baseline of a run that has one."""
    assert metrics.baseline is not None
    return str(metrics.baseline["method"]).split(" (")[0]


def notes_on(metrics: RunMetrics, schedule: Schedule, *, figure: str, chance: float, finetuned: bool) -> list[str]:
    """Sentences on a run that is near chance, was still improving, had few rows to judge by, or is behind the baseline.

    Args:
        metrics: Of the run.
        schedule: How it was trained.
        figure: The main test score.
        chance: Up to this score the result is no better than a guess.
        finetuned: The biLM learned, too.
    """
    found, notes = metrics.scores["test"].figure(figure), []
    if found <= chance:
        notes.append(
            f"test {figure} {found:.4g} is near chance ({chance:.4g}): are the right columns read? If so, "
            f"try --learning-rate {2 * schedule.learning_rate:g} or --epochs {3 * schedule.epochs}"
        )
    if metrics.best_epoch == metrics.epochs == schedule.epochs:
        notes.append(
            f"the last of {metrics.epochs} epochs was the best: training may not have converged; "
            f"try --epochs {2 * schedule.epochs}"
        )
    judged = metrics.rows.get("validation", FEW_TO_JUDGE)
    if judged < FEW_TO_JUDGE:
        notes.append(
            f"{judged} validation rows are too few to choose the best epoch reliably (on a tie "
            "the lowest loss wins); give more with --valid"
        )
    if metrics.baseline is not None:
        theirs = float(metrics.baseline["test"][figure])
        if theirs > found:
            way = "more training rows" if finetuned else "--finetune with the folder of this run as --model"
            notes.append(
                f"{baseline_name(metrics)} scores higher: test {figure} {theirs:.4f}, "
                f"this model {found:.4f}; "
                f"try {way}, or use the baseline"
            )
    return notes
