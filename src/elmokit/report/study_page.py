"""The report of a comparison: one HTML file that needs nothing else, and Markdown with PNG pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from elmokit.report import study_plots
from elmokit.report.pictures import save_png, themed_svg
from elmokit.report.study import Bounds, Interval, Study, ends
from elmokit.whole_files import write_text


@dataclass(frozen=True)
class Shown:
    """Writes a score with so many places."""

    places: int

    def __call__(self, value: float, *, signed: bool = False) -> str:
        return f"{value:+.{self.places}f}".replace("-", "−") if signed else f"{value:.{self.places}f}"


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
    show = Shown(2 if study["highest"] == 100 else 4)
    content = {
        "study": study,
        **_set_up(study),
        **_table(study, show),
        "failures": [f"{row['name']}: {row['failed']}" for row in study["rows"] if "failed" in row]
        + ([study["map"]["failed"]] if study["map"] and "failed" in study["map"] else []),
        **_comparisons(study, show),
        **_shares(study, show),
        "versions": ", ".join(f"{package} {version}" for package, version in study["versions"].items()),
    }
    by_name = {picture.name: picture for picture in pictures}
    figure = Markup('<figure><div class="scroll">{}</div></figure>')
    beside = {
        key: figure.format(by_name[name].svg) if name in by_name else ""
        for key, name in (("lead_picture", "accuracy"), ("shares_picture", "fewer_labels"))
    }
    page = environment.get_template("study.html").render(**content, **beside, pictures=pictures)
    text = environment.get_template("study.md").render(**_for_markdown(content), pictures=pictures)
    write_text(folder / "report.html", page)
    write_text(folder / "report.md", text)
    return [folder / "report.html", folder / "report.md"]


def _pictures(study: Study) -> list[Picture]:
    rows = [row for row in study["rows"] if row["metrics"]]
    if not rows:
        return []
    score, highest = study["figure"], study["highest"]
    mixed = [row for row in rows if row["kind"] == "model" and len(row.get("lambdas", [])) > 1]
    taught = [row for row in rows if len(row["history"]) > 1]
    draw = partial(study_plots.score_bars, rows, score=score, highest=highest)
    title = {"f1": "F1", "bleu": "BLEU"}.get(score, score.replace("_", " ").capitalize())
    found = [Picture("accuracy", title, f"Test {score} of every row.", draw, False)]
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


def _table(study: Study, show: Shown) -> dict[str, object]:
    """The table of all rows: the main figure, what else is measured on the test rows, sizes and speed."""
    rows, score, classify = study["rows"], study["figure"], study["task"] == "classify"
    first: Mapping[str, Any] = next((row["metrics"]["test"] for row in rows if row["metrics"]), {})
    others = {"precision": "precision", "recall": "recall", "f1": "macro F1" if classify else "F1"}
    others |= {"exact_match": "exact match"}
    others = {name: heading for name, heading in others.items() if name in first and name != score}
    head = ["", f"test {score}", "95 % interval", "validation", "train", *others.values(), "parameters", "trained"]
    head += ["seconds", "words/s"]
    table: list[list[str]] = []
    means: dict[int, float] = {}
    for number, row in enumerate(rows):
        metrics = row["metrics"]
        if not metrics:
            table.append([row["name"], *["—"] * (len(head) - 1)])
            continue
        test = metrics["test"]
        means[number] = test[score]["mean"]
        shown = [row["name"], show(means[number]), _interval(test[score], show, over_rows=row.get("over_rows"))]
        shown += [show(metrics[part][score]["mean"]) if part in metrics else "—" for part in ("validation", "train")]
        shown += [show(test[name]["mean"]) for name in others]
        shown += [_count(row["parameters"]), _count(row["trained_parameters"]), f"{row['seconds']:,.0f}"]
        table.append([*shown, f"{row['words_per_second']:,.0f}" if "words_per_second" in row else "—"])
    note = (
        "Means over seeds; the interval is Student's t over them, of a single seed a bootstrap over the test rows. "
        + ("Precision, recall and F1 are macro averages on the test rows. " if classify else "")
        + "Seconds are those of training one model on stored layers or vectors, on one thread; words/s is from raw "
        "text to labels on one thread, while other runs share the machine."
    )
    marked = [(max(means, key=lambda n: means[n]), 1)] if means else []
    return {"head": head, "table": table, "marked": marked, "table_note": note}


def _comparisons(study: Study, show: Shown) -> dict[str, object]:
    """What rows gain over the baselines, and the best rows pairwise."""
    score, counted = study["figure"], any("mcnemar" in pair for pair in study["pairs"])
    gains = []
    for gain in study["gains"]:
        between = _between(gain, show) + " (test rows)" * (gain["over"] == "rows")
        seeds = ", ".join(show(value, signed=True) for value in gain["seeds"])
        gains.append([f"{gain['row']} − {gain['baseline']}", show(gain["mean"], signed=True), between, seeds])
    pairs = []
    for pair in study["pairs"]:
        low, high = (show(pair[end], signed=True) for end in ("low", "high"))
        line = [f"{pair['first']} − {pair['second']}", show(pair["difference"], signed=True), f"{low} to {high}"]
        if "mcnemar" in pair:
            line.append("< 0.001" if pair["mcnemar"] < 0.001 else f"{pair['mcnemar']:.3f}")
            line.append(f"{pair['only_first']:,} : {pair['only_second']:,}")
        pairs.append(line)
    mcnemar = ["McNemar p", "only first : only second right"] if counted else []
    return {
        "gains_head": ["", "gain", "95 % interval", "seeds"],
        "gains": gains,
        "gains_note": (
            f"Test {score} of a row minus that of the baseline, seed by seed, with Student's t over the seeds; of a "
            "single seed a bootstrap over the same test rows of both (10,000 draws)."
        ),
        "pairs_head": ["", "difference", "95 % interval", *mcnemar],
        "pairs": pairs,
        "pairs_note": (
            f"The difference of test {score}, means over seeds, with a bootstrap interval over the test rows (10,000 "
            "draws)." + (" McNemar's exact test and the counts are those of the first seed of each." * counted)
        ),
    }


def _set_up(study: Study) -> dict[str, list[str]]:
    """What was measured, on what; and the settings that all rows share and those of each, if they are no defaults."""
    data, files, unit, labels = study["data"], study["files"], study["unit"], study["labels"]
    kind = "classifiers" if study["task"] == "classify" else "models"
    shared = _settings(study["settings"])
    notes = [f"all {kind}: {shared}"] if shared else []
    for row in study["rows"]:
        start = f"continues from the {kind} of “{row['start']}”" if row["start"] else ""
        own = [part for part in (row["note"].removesuffix("."), start, _settings(row["settings"])) if part]
        if own:
            notes.append(f"{row['name']}: {'; '.join(own)}")
    if not data:
        return {"said": ["No row could be measured."], "notes": notes}
    known = f"{len(labels)} {'classes' if study['task'] == 'classify' else 'labels'} ({', '.join(labels[:12])}); "
    valid = files.get("valid", [])  # results of earlier versions do not name them
    named = f"; validation files: {', '.join(valid)}" if valid else ""
    drawn = "start and order" if valid else f"validation {unit}, start and order"
    first, *more = map(str, study["seeds"])
    seeds = f"Seeds {', '.join([first, *more])}: each draws its own" if more else f"Seed {first} draws"
    lines = [
        f"{known if labels else ''}{data['train']:,} {unit} to train on, {data['validation']:,} to choose the epoch, "
        f"{data['test']:,} to test. Training files: {', '.join(files['train'])}{named}; test files: "
        f"{', '.join(files['test'])}.",
        f"{seeds} {drawn}. The test {unit} were used only for the figures here.",
    ]
    if study["seen_in_training"]:
        lines.append(f"{study['seen_in_training']:,} test texts are also among the training rows, word for word.")
    text = ", ".join(files["text"]) or "the texts of the training files, without their labels"
    if any(row["kind"] in ("svd", "cbow", "skipgram") for row in study["rows"]):
        lines.append(f"Static vectors were trained on {text}.")
    return {"said": lines, "notes": notes}


def _settings(settings: Mapping[str, Any]) -> str:
    values = {name: ", ".join(map(str, x)) if isinstance(x, list) else str(x) for name, x in settings.items()}
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _between(gain: Interval, show: Shown) -> str:
    between = ends(gain)
    return "one seed" if between is None else " to ".join(show(end, signed=True) for end in between)


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


def _count(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number:,}"
