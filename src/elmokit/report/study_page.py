"""The report of a comparison: one HTML file that needs nothing else, and Markdown with PNG pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from elmokit.report import study_plots
from elmokit.report.pictures import save_png, themed_svg
from elmokit.report.study import Bounds, Gain, Interval, RowResult, Study, ends
from elmokit.whole_files import write_text


class Shown(Protocol):
    """Writes a score."""

    def __call__(self, value: float, *, signed: bool = False) -> str: ...


@dataclass(frozen=True)
class Picture:
    """A drawn figure. `section`: it has a section of its own in the page, the others are next to their table."""

    name: str
    title: str
    caption: str
    figure: Callable[[], Figure]
    section: bool = True

    @property
    def svg(self) -> Markup:
        """For the page."""
        return Markup(themed_svg(self.figure(), name=self.name, described=f"{self.title}. {self.caption}"))


def write_report(study: Study, folder: Path) -> list[Path]:
    """Write `report.html`, `report.md` and `pictures/` of a study's results; returns the two documents."""
    pictures = _pictures(study)
    for picture in pictures:
        save_png(picture.figure(), folder / "pictures" / f"{picture.name}.png")
    environment = Environment(
        loader=PackageLoader("elmokit.report"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=lambda name: bool(name and name.endswith(".html")),
    )
    content = _content(study)
    by_name = {picture.name: picture for picture in pictures}
    figure = Markup('<figure><div class="scroll">{}</div></figure>')
    beside = {
        key: figure.format(by_name[name].svg) if name in by_name else ""
        for key, name in (("lead_picture", "accuracy"), ("shares_picture", "fewer_labels"))
    }
    page = environment.get_template("study.html").render(**content, **beside, pictures=pictures, grid=_grid)
    text = environment.get_template("study.md").render(**_for_markdown(content), pictures=pictures)
    write_text(folder / "report.html", page)
    write_text(folder / "report.md", text)
    return [folder / "report.html", folder / "report.md"]


def _grid(head: Sequence[Any], rows: Sequence[Sequence[Any]], marked: Sequence[tuple[int, int]]) -> Markup:
    """A table; the first cell of a row is its header, `marked` cells (row, column) stand out."""
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = []
    for number, row in enumerate(rows):
        line = f'<th scope="row">{escape(row[0])}</th>'
        for column, cell in enumerate(row[1:], 1):
            kind = ' class="best"' if (number, column) in marked else ""
            line += f"<td{kind}>{escape(cell)}</td>"
        lines.append(f"<tr>{line}</tr>")
    table = f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return Markup(f'<div class="scroll" tabindex="0">{table}</div>')


def _pictures(study: Study) -> list[Picture]:
    rows = [row for row in study["rows"] if row["metrics"]]
    if not rows:
        return []
    score, highest = study["figure"], study["highest"]
    mixed = [row for row in rows if row["kind"] == "model" and len(row.get("lambdas", [])) > 1]
    taught = [row for row in rows if len(row["history"]) > 1]
    draw = partial(study_plots.score_bars, rows, score=score, highest=highest)
    found = [Picture("accuracy", _titled(score), f"Test {score} of every row.", draw, False)]
    if study["efficiency"]["shares"]:
        draw = partial(study_plots.efficiency_curves, study["efficiency"], rows=study["data"]["train"], score=score)
        found.append(Picture("fewer_labels", "Fewer labels", f"Test {score} by share of the labels.", draw, False))
    if confused := [row for row in rows if "confusion" in row]:
        draw = partial(study_plots.confusion_grid, confused, labels=study["labels"])
        caption = (
            "Test rows of the first seed. A line is a gold class, a column a predicted one, in percent of the line."
        )
        found.append(Picture("confusion", "Confusion matrices", caption, draw))
    if mixed:
        caption = (
            "λ is the share of a layer in the mix, the mean over seeds with its 95 % interval; rows with a frozen mix "
            "have it given, and a learnable function has none."
        )
        found.append(Picture("layers", "Layer weights", caption, partial(study_plots.layer_shares, mixed)))
    if taught:
        caption = "The first seed of every row that trained for more than one epoch."
        found.append(
            Picture("curves", "Learning curves", caption, partial(study_plots.learning_curves, taught, score=score))
        )
    word_map = study["map"]
    if word_map and word_map["planes"]:
        planes = word_map["planes"]
        uses = len(next(iter(planes.values()))["points"])
        caption = (
            f"{uses} occurrences of “{word_map['word']}” in the test texts by each row's vectors (first seed), on the "
            "plane of their two main components. The colour is the class of the text. A static vector is "
            "the same in every text."
        )
        draw = partial(study_plots.word_map, planes, labels=study["labels"])
        found.append(Picture("word_map", f"One word: “{word_map['word']}”", caption, draw))
    return found


def _content(study: Study) -> dict[str, object]:
    rows, score, show = study["rows"], study["figure"], _shown_as(study)
    others = _other_figures(study)
    head = ["", f"test {score}", "95 % interval", "validation", "train", *others.values(), "parameters", "trained"]
    head += ["seconds", "words/s"]
    table = [_row(row, score, others, show, columns=len(head)) for row in rows]
    means = {n: row["metrics"]["test"][score]["mean"] for n, row in enumerate(rows) if row["metrics"]}
    pairs = [
        [
            f"{pair['first']} − {pair['second']}",
            show(pair["difference"], signed=True),
            f"{show(pair['low'], signed=True)} to {show(pair['high'], signed=True)}",
            *_mcnemar(pair),
        ]
        for pair in study["pairs"]
    ]
    return {
        "study": study,
        "said": _said(study),
        "head": head,
        "table": table,
        "marked": [(max(means, key=lambda n: means[n]), 1)] if means else [],
        "table_note": (
            "Means over seeds; the interval is Student's t over them, of a single seed a bootstrap over the test rows. "
            + ("Precision, recall and F1 are macro averages on the test rows. " if study["task"] == "classify" else "")
            + "Seconds are those of training one model on stored layers or vectors, on one thread; words/s is from raw "
            "text to labels on one thread, while other runs share the machine."
        ),
        "notes": _notes(study),
        "failures": [f"{row['name']}: {row['failed']}" for row in rows if "failed" in row]
        + ([study["map"]["failed"]] if study["map"] and "failed" in study["map"] else []),
        "gains_head": ["", "gain", "95 % interval", "seeds"],
        "gains": [_gain(gain, show) for gain in study["gains"]],
        "gains_note": (
            f"Test {score} of a row minus that of the baseline, seed by seed, with Student's t over the seeds; of a "
            "single seed a bootstrap over the same test rows of both (10,000 draws)."
        ),
        "pairs_head": ["", "difference", "95 % interval", *_MCNEMAR][: 5 if _has_mcnemar(study) else 3],
        "pairs": pairs,
        "pairs_note": (
            f"The difference of test {score}, means over seeds, with a bootstrap interval over the test rows (10,000 "
            "draws)."
            + (" McNemar's exact test and the counts are those of the first seed of each." * _has_mcnemar(study))
        ),
        **_shares(study, show),
        "versions": ", ".join(f"{package} {version}" for package, version in study["versions"].items()),
    }


def _said(study: Study) -> list[str]:
    """What was measured, on what."""
    data, files = study["data"], study["files"]
    if not data:
        return ["No row could be measured."]
    unit, labels = study["unit"], study["labels"]
    counts = (
        f"{data['train']:,} {unit} to train on, {data['validation']:,} to choose the epoch, {data['test']:,} to test"
    )
    known = f"{len(labels)} {'classes' if study['task'] == 'classify' else 'labels'} ({', '.join(labels[:12])}); "
    lines = [
        f"{known if labels else ''}{counts}. Training files: {', '.join(files['train'])}; test files: "
        f"{', '.join(files['test'])}.",
        f"Seeds {', '.join(map(str, study['seeds']))}: each draws its own validation {unit}, start and order. The test "
        f"{unit} were used only for the figures here.",
    ]
    if study["seen_in_training"]:
        lines.append(f"{study['seen_in_training']:,} test texts are also among the training rows, word for word.")
    text = ", ".join(files["text"]) or "the texts of the training files, without their labels"
    if any(row["kind"] in ("svd", "cbow", "skipgram") for row in study["rows"]):
        lines.append(f"Static vectors were trained on {text}.")
    return lines


def _notes(study: Study) -> list[str]:
    """The settings that all rows share and those of each row, as far as they are not defaults."""
    kind = "classifiers" if study["task"] == "classify" else "models"
    shared = _settings(study["settings"])
    notes = [f"all {kind}: {shared}"] if shared else []
    for row in study["rows"]:
        start = f"continues from the {kind} of “{row['start']}”" if row["start"] else ""
        own = [part for part in (row["note"].removesuffix("."), start, _settings(row["settings"])) if part]
        if own:
            notes.append(f"{row['name']}: {'; '.join(own)}")
    return notes


def _settings(settings: Mapping[str, Any]) -> str:
    values = {name: ", ".join(map(str, x)) if isinstance(x, list) else str(x) for name, x in settings.items()}
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _row(row: RowResult, score: str, others: Mapping[str, str], show: Shown, *, columns: int) -> list[str]:
    if not row["metrics"]:
        return [row["name"], *["—"] * (columns - 1)]
    metrics = row["metrics"]
    test = metrics["test"]
    shown = [row["name"], show(test[score]["mean"]), _interval(test[score], show, over_rows=row.get("over_rows"))]
    shown += [show(metrics[split][score]["mean"]) if split in metrics else "—" for split in ("validation", "train")]
    shown += [show(test[name]["mean"]) for name in others]
    shown += [_count(row["parameters"]), _count(row["trained_parameters"]), f"{row['seconds']:,.0f}"]
    return [*shown, f"{row['words_per_second']:,.0f}" if "words_per_second" in row else "—"]


def _other_figures(study: Study) -> dict[str, str]:
    """Other figures of the test rows that are shown, with their heading."""
    first: Mapping[str, Any] = next((row["metrics"]["test"] for row in study["rows"] if row["metrics"]), {})
    names = {"precision": "precision", "recall": "recall", "f1": "F1", "exact_match": "exact match"}
    if study["task"] == "classify":
        names["f1"] = "macro F1"
    return {name: heading for name, heading in names.items() if name in first and name != study["figure"]}


def _shown_as(study: Study) -> Shown:
    """How scores are written: with four places where the best is 1, else with two."""
    places = 2 if study["highest"] == 100 else 4

    def show(value: float, *, signed: bool = False) -> str:
        return f"{value:+.{places}f}".replace("-", "−") if signed else f"{value:.{places}f}"

    return show


def _gain(gain: Gain, show: Shown) -> list[str]:
    between = _between(gain, show) + " (test rows)" * (gain["over"] == "rows")
    seeds = ", ".join(show(value, signed=True) for value in gain["seeds"])
    return [f"{gain['row']} − {gain['baseline']}", show(gain["mean"], signed=True), between, seeds]


def _between(gain: Interval, show: Shown) -> str:
    between = ends(gain)
    return "one seed" if between is None else " to ".join(show(end, signed=True) for end in between)


_MCNEMAR = ("McNemar p", "only first : only second right")


def _has_mcnemar(study: Study) -> bool:
    return any("mcnemar" in pair for pair in study["pairs"])


def _mcnemar(pair: Mapping[str, Any]) -> list[str]:
    if "mcnemar" not in pair:
        return []
    p = "< 0.001" if pair["mcnemar"] < 0.001 else f"{pair['mcnemar']:.3f}"
    return [p, f"{pair['only_first']:,} : {pair['only_second']:,}"]


def _shares(study: Study, show: Shown) -> dict[str, object]:
    efficiency = study["efficiency"]
    shares, curves = efficiency["shares"], efficiency["curves"]
    head = ["labels", *curves, "best model − best static"]
    table = []
    for place, share in enumerate(shares):
        gain = efficiency["gains"][place]
        values = [curve[place] for curve in curves.values()]
        cells = ["—" if value is None else f"{show(value['mean'])} ({_interval(value, show)})" for value in values]
        gained = "—"
        if gain is not None:
            gained = f"{show(gain['mean'], signed=True)} ({_between(gain, show)}; {gain['model']} − {gain['static']})"
        table.append([f"{share:.0%}", *cells, gained])
    return {
        "shares_head": head,
        "shares": table,
        "shares_note": (
            f"Test {study['figure']}, mean and 95 % interval over seeds, on parts of the training {study['unit']}, a "
            "smaller one a part of the larger; validation stays whole. The gain is taken seed by seed between the best "
            "model and the best static vectors of each line."
        ),
    }


def _for_markdown(content: Mapping[str, Any]) -> dict[str, object]:
    """The same with what would end a cell of a table taken out of names."""

    def safe(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("|", "\\|")
        return [safe(item) for item in value] if isinstance(value, list) else value

    return {key: safe(value) for key, value in content.items()}


def _interval(value: Interval, show: Shown, *, over_rows: Bounds | None = None) -> str:
    if between := ends(value):
        return "–".join(map(show, between))
    if over_rows is not None:
        return f"{show(over_rows['low'])}–{show(over_rows['high'])} (test rows)"
    return "one seed"


def _titled(score: str) -> str:
    """A figure's name as a heading."""
    return {"f1": "F1", "bleu": "BLEU"}.get(score, score.replace("_", " ").capitalize())


def _count(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number:,}"
