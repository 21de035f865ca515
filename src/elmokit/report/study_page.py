"""The report of a comparison: one HTML file that needs nothing else, and Markdown with PNG pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from elmokit.report import study_plots
from elmokit.report.pictures import save_png, themed_svg
from elmokit.whole_files import write_text

Study = Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """A drawn figure. `section`: it has a section of its own in the page, the others stand beside their table."""

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
        loader=PackageLoader("elmokit.report"), undefined=StrictUndefined, keep_trailing_newline=True,
        autoescape=lambda name: bool(name and name.endswith(".html")),
    )  # fmt: skip
    content = _content(study)
    by_name = {picture.name: picture for picture in pictures}
    beside = {
        key: _figure(by_name[name]) if name in by_name else ""
        for key, name in (("lead_picture", "accuracy"), ("shares_picture", "fewer_labels"))
    }
    page = environment.get_template("study.html").render(**content, **beside, pictures=pictures, grid=_grid)
    text = environment.get_template("study.md").render(**_for_markdown(content), pictures=pictures)
    write_text(folder / "report.html", page)
    write_text(folder / "report.md", text)
    return [folder / "report.html", folder / "report.md"]


def _figure(picture: Picture) -> Markup:
    return Markup('<figure><div class="scroll">{}</div></figure>').format(picture.svg)


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
    mixed = [row for row in rows if row["kind"] == "model" and len(row.get("lambdas", [])) > 1]
    taught = [row for row in rows if len(row["history"]) > 1]
    found = [
        Picture("accuracy", "Accuracy", "Test accuracy of every row.", partial(study_plots.accuracy_bars, rows), False)
    ]
    if study["efficiency"]["shares"]:
        draw = partial(study_plots.efficiency_curves, study["efficiency"], rows=study["data"]["train"])
        found.append(Picture("fewer_labels", "Fewer labels", "Test accuracy by share of the labels.", draw, False))
    draw = partial(study_plots.confusion_grid, rows, labels=study["labels"])
    caption = "Test rows of the first seed. A line is a gold class, a column a predicted one, in per cent of the line."
    found.append(Picture("confusion", "Confusion matrices", caption, draw))
    if mixed:
        caption = (
            "λ is the share of a layer in the mix, the mean over seeds with its 95 % interval; rows with a frozen mix "
            "have it given, and a learnable function has none."
        )
        found.append(Picture("layers", "Layer weights", caption, partial(study_plots.layer_shares, mixed)))
    if taught:
        caption = "The first seed of every row that trained for more than one epoch."
        found.append(Picture("curves", "Learning curves", caption, partial(study_plots.learning_curves, taught)))
    word_map = study["map"]
    if word_map and word_map["planes"]:
        planes = word_map["planes"]
        uses = len(next(iter(planes.values()))["points"])
        caption = (
            f"{uses} uses of “{word_map['word']}” in the test texts by each row's vectors of the word (of the first "
            "seed), on the plane of their two main components. The colour is the class of the text. A static vector is "
            "the same in every text."
        )
        draw = partial(study_plots.word_map, planes, labels=study["labels"])
        found.append(Picture("word_map", f"One word: “{word_map['word']}”", caption, draw))
    return found


def _content(study: Study) -> dict[str, Any]:
    head = [
        "",
        "test accuracy",
        "95 % interval",
        "validation",
        "train",
        "precision",
        "recall",
        "macro F1",
        "parameters",
    ]
    head += ["trained", "seconds", "words/s"]
    rows = study["rows"]
    table = [_row(row) for row in rows]
    means = {n: row["metrics"]["test"]["accuracy"]["mean"] for n, row in enumerate(rows) if row["metrics"]}
    pairs = [
        [
            f"{pair['first']} − {pair['second']}", _signed(pair["difference"]),
            f"{_signed(pair['low'])} to {_signed(pair['high'])}", _probability(pair["mcnemar"]),
            f"{pair['only_first']:,} : {pair['only_second']:,}",
        ]
        for pair in study["pairs"]
    ]  # fmt: skip
    return {
        "study": study,
        "said": _said(study),
        "head": head,
        "table": table,
        "marked": [(max(means, key=lambda n: means[n]), 1)] if means else [],
        "table_note": (
            "Means over seeds; the interval is Student's t over them. Precision, recall and F1 are macro averages on "
            "the test rows. Seconds are those of training one classifier on stored layers or vectors, on one thread; "
            "words/s is from raw text to labels on one thread, beside whatever else ran."
        ),
        "notes": _notes(study),
        "failures": [f"{row['name']}: {row['failed']}" for row in rows if "failed" in row]
        + ([study["map"]["failed"]] if study["map"] and "failed" in study["map"] else []),
        "pairs_head": ["", "difference", "95 % interval", "McNemar p", "only first : only second right"],
        "pairs": pairs,
        "pairs_note": (
            "The difference of test accuracy, means over seeds, with a bootstrap interval over the test rows (10,000 "
            "draws). McNemar's exact test and the counts are those of the first seed of each."
        ),
        **_shares(study),
        "versions": ", ".join(f"{package} {version}" for package, version in study["versions"].items()),
    }


def _said(study: Study) -> list[str]:
    """What was measured, on what."""
    data, files = study["data"], study["files"]
    if not data:
        return ["No row could be measured."]
    counts = f"{data['train']:,} rows to train on, {data['validation']:,} to choose the epoch, {data['test']:,} to test"
    lines = [
        f"{len(study['labels'])} classes ({', '.join(study['labels'][:12])}); {counts}. Training files: "
        f"{', '.join(files['train'])}; test files: {', '.join(files['test'])}.",
        f"Seeds {', '.join(map(str, study['seeds']))}: each draws its own validation rows, start and order. The test "
        "rows were used for nothing but the figures here.",
    ]
    if study["seen_in_training"]:
        lines.append(f"{study['seen_in_training']:,} test texts also stand in the training rows, word for word.")
    text = ", ".join(files["text"]) or "the texts of the training files, without their labels"
    if any(row["kind"] in ("svd", "cbow", "skipgram") for row in study["rows"]):
        lines.append(f"Static vectors were trained on {text}.")
    return lines


def _notes(study: Study) -> list[str]:
    """What all classifiers share and what each row has of its own, as far as it is not the usual."""
    shared = _settings(study["classifier"])
    notes = [f"all classifiers: {shared}"] if shared else []
    for row in study["rows"]:
        start = f"goes on from the classifiers of “{row['start']}”" if row["start"] else ""
        own = [part for part in (row["note"].removesuffix("."), start, _settings(row["settings"])) if part]
        if own:
            notes.append(f"{row['name']}: {'; '.join(own)}")
    return notes


def _settings(settings: Mapping[str, Any]) -> str:
    values = {name: ", ".join(map(str, x)) if isinstance(x, list) else str(x) for name, x in settings.items()}
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _row(row: Mapping[str, Any]) -> list[str]:
    if not row["metrics"]:
        return [row["name"], *["—"] * 11]
    metrics = row["metrics"]
    test = metrics["test"]
    shown = [row["name"], f"{test['accuracy']['mean']:.4f}", _interval(test["accuracy"])]
    shown += [f"{metrics[s]['accuracy']['mean']:.4f}" if s in metrics else "—" for s in ("validation", "train")]
    shown += [f"{test[name]['mean']:.4f}" for name in ("precision", "recall", "f1")]
    shown += [_count(row["parameters"]), _count(row["trained_parameters"])]
    return [*shown, f"{row['seconds']:,.0f}", f"{row['words_per_second']:,.0f}"]


def _shares(study: Study) -> dict[str, Any]:
    efficiency = study["efficiency"]
    shares, curves = efficiency["shares"], efficiency["curves"]
    head = ["labels", *curves, "best model − best static"]
    table = []
    for place, share in enumerate(shares):
        gain = efficiency["gains"][place]
        values = [curve[place] for curve in curves.values()]
        cells = ["—" if value is None else f"{value['mean']:.4f} ({_interval(value)})" for value in values]
        gained = "—"
        if gain is not None:
            gained = f"{_signed(gain['mean'])} ({_interval(gain, signed=True)}; {gain['model']} − {gain['static']})"
        table.append([f"{share:.0%}", *cells, gained])
    return {
        "shares_head": head,
        "shares": table,
        "shares_note": (
            "Test accuracy, mean and 95 % interval over seeds, on stratified parts of the training rows; the "
            "validation rows stay whole. The gain is taken seed by seed between the best model and the best static "
            "vectors of each line."
        ),
    }


def _for_markdown(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same with what would end a cell of a table taken out of names."""

    def safe(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("|", "\\|")
        return [safe(item) for item in value] if isinstance(value, list) else value

    return {key: safe(value) for key, value in content.items()}


def _interval(value: Mapping[str, Any], *, signed: bool = False) -> str:
    if value["low"] is None:
        return "one seed"
    show = _signed if signed else "{:.4f}".format
    return f"{show(value['low'])}{' to ' if signed else '–'}{show(value['high'])}"


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def _probability(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _count(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number:,}"
