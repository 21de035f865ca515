"""The explorer's page in a real browser: every view clicked, typed into, used by keyboard, narrow, dark, attacked."""

from __future__ import annotations

import csv
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from elmokit.encode.encoder import Encoder
from elmokit.tasks.classification.predict import Classifier
from elmokit.web.corpora import Corpus
from elmokit.web.loaded import Loaded
from elmokit.web.study_file import Study
from helpers.explorer_server import Watched, running
from helpers.web_models import CORPUS, save_bilm, save_classifier, static_vectors, study, value

VIEWS = ["senses", "neighbours", "language-model", "classify", "compare"]
ATTACK = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
SHOWN = ".picture .plot svg"


def full_study() -> dict[str, Any]:
    """A study in which every picture has something to show."""
    row = study()["rows"][0]
    other = {
        **row,
        "name": "TF-IDF",
        "kind": "tfidf",
        "note": "",
        "start": None,
        "metrics": {"test": {"accuracy": value(0.7)}},
    }
    scores = {name: value(0.9) for name in ("accuracy", "precision", "recall", "f1")}
    model = {
        **row, "lambdas": [value(0.3), value(0.3), value(0.4)], "gamma": value(1.2), "metrics": {"test": scores},
        "parameters": 12_345_678, "trained_parameters": 123_456, "seconds": 123.4, "words_per_second": 12_345.0,
    }  # fmt: skip
    of_class = {"precision": 0.8, "recall": 1.0, "f1": 0.89, "rows": 5}
    pair = {"first": "TF-IDF", "second": row["name"], "difference": -0.2, "low": -0.3, "high": -0.1, "mcnemar": 0.001}
    plane = {"points": [[0, 1], [1, 0]], "classes": [0, 1], "explained": [0.6, 0.2]}
    epochs = [{"epoch": number, "validation_accuracy": 0.8} for number in (1, 2)]
    return {
        **study(), "data": {"test": 10}, "seeds": [1, 2],
        "rows": [{**model, "per_class": {"a": of_class}, "history": epochs}, other],
        "pairs": [{**pair, "only_first": 1, "only_second": 3}], "map": {"word": "bank", "planes": {row["name"]: plane}},
        "efficiency": {"shares": [0.1, 1.0], "curves": {"SVD": [value(0.5), value(0.7)], "ELMo": [None, value(0.9)]}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Encoder.from_pretrained(save_bilm(tmp_path_factory.mktemp("bilm")))


@pytest.fixture(scope="module")
def server(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[str]:
    """A server with everything there can be. It comes after the browser: without one there is nothing to do."""
    classifier = Classifier.from_pretrained(save_classifier(tmp_path_factory.mktemp("classifier")))
    loaded = Loaded(encoder, "tiny", classifier, "tiny-news", static_vectors(), "v.txt")
    loaded.add_corpus(Corpus("small", [line.split() for line in CORPUS]), most_uploaded=0)
    loaded.add_study(Study.model_validate(full_study()))
    with running(loaded) as address:
        yield address


@pytest.fixture(scope="module")
def opened(browser: Any, server: str) -> Iterator[Watched]:
    """A page that the tests share: reading the drawing library takes longer than they do."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield Watched(context, server)
    context.close()


@pytest.fixture
def watched(opened: Watched) -> Iterator[Watched]:
    """The page, its console empty in the end, and nobody else asked."""
    opened.troubles.clear()
    yield opened
    assert opened.outside() == []
    assert opened.troubles == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")])
def test_every_view_shows(watched: Watched, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python").Axe()
    watched.page.set_viewport_size({"width": width, "height": 900})
    watched.page.emulate_media(color_scheme=scheme)
    for view in VIEWS:
        page = watched.open(view)
        page.locator(SHOWN).first.wait_for()
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), view
        ink, paper = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert (_light(ink) > _light(paper)) == (scheme == "dark")
        fill = page.evaluate(f"getComputedStyle(document.querySelector('{SHOWN} text:not(.textpoint text)')).fill")
        assert (_light(fill) > 300) == (scheme == "dark"), view  # the pictures follow
        if (width, scheme) in ((1280, "light"), (390, "dark")):
            faults = axe.run(page).response["violations"]
            assert [(view, each["id"], each["nodes"][0]["html"]) for each in faults] == []
    watched.page.set_viewport_size({"width": 1280, "height": 900})
    watched.page.emulate_media(color_scheme="light")


def test_it_is_light_and_usable_before_the_drawing_library(server: str, browser: Any) -> None:
    context = browser.new_context()
    watched = Watched(context, server)
    sizes: list[int] = []
    watched.page.on("response", lambda answer: sizes.append(len(answer.body())))
    watched.page.route("**/plotly.min.js", lambda route: route.abort())
    page = watched.open("senses?word=bank")
    page.locator(".use").nth(15).wait_for()
    page.get_by_text("The drawing library did not load").first.wait_for()
    page.get_by_text("Data as a table").first.click()
    rows = page.get_by_role("region", name="Map of the uses").locator("tbody tr")
    rows.nth(15).wait_for()
    assert rows.count() == 16
    context.close()
    library = Path(pytest.importorskip("plotly").__file__).parent / "package_data/plotly.min.js"
    assert sum(sizes) + library.stat().st_size < 6_000_000
    assert sum(sizes) < 300_000


def test_senses(watched: Watched) -> None:
    page = watched.open("senses?word=pitch")
    watched.text("14 uses of “pitch” in 2 senses.").wait_for()
    before = sum("/api/senses" in url for url in watched.asked)
    watched.open("senses?word=bank")
    watched.text("16 uses of “bank” in 2 senses.").wait_for()
    page.get_by_role("link", name="cell", exact=True).click()
    watched.text("14 uses of “cell” in 2 senses.").wait_for()
    assert sum("/api/senses" in url for url in watched.asked) == before + 2  # once a view
    page.get_by_label("Word", exact=True).fill("bank")
    lines = ["shore | The bank of the river was wet", "The bank and the bank", "shore | A bank of mud", "No such word"]
    page.get_by_label("Sentences", exact=True).fill("\n".join(lines))
    page.get_by_role("button", name="Show the uses").click()
    watched.text("3 uses of “bank” in 1 sense. 1 sentence without the word left out.").wait_for()
    picture = page.get_by_role("img", name=re.compile("PCA map of 3 uses"))
    picture.locator(".legendtext", has_text="shore").wait_for()
    assert picture.locator(".legendtext").all_text_contents() == ["shore", "sense not given"]
    slider = page.get_by_role("slider", name="Layer")
    slider.fill("0")
    watched.text("all uses are one point").wait_for()
    assert slider.get_attribute("aria-valuetext") == "tokens, one point"
    slider.fill("1")
    page.locator(".use", has_text="A bank of mud").click()
    chosen = page.locator(".use[aria-pressed=true]")
    assert "1.00" in chosen.inner_text() and "A bank of mud" in page.locator(".use").first.inner_text()
    assert "layer=1&use=2" in page.url
    page.get_by_role("button", name="Show the uses").focus()
    page.get_by_label("t-SNE").check()
    page.get_by_role("button", name="Show the uses").click()
    watched.text("t-SNE needs at least 5 uses").wait_for()
    assert page.get_by_role("img", name=re.compile("static vector of bank")).count() == 1


def test_senses_from_files(watched: Watched, tmp_path: Path) -> None:
    page = watched.open("senses?word=bank")
    page.locator(".use").first.wait_for()
    own = tmp_path / "own.txt"
    own.write_text("shore\tThe wet bank\nmoney\tA bank closed\n", encoding="utf-8")
    page.get_by_label("Load sentences from a file").set_input_files(own)
    lines = page.get_by_label("Sentences", exact=True)
    pytest.importorskip("playwright.sync_api").expect(lines).to_have_value(
        "shore | The wet bank\nmoney | A bank closed"
    )
    page.get_by_text("From a corpus", exact=True).click()
    page.get_by_label("Add uses from a corpus").select_option(label="small (6 sentences)")
    page.get_by_role("button", name="Show the uses").click()
    page.locator(".summary", has_text=re.compile("^6 uses of “bank” in 2 senses.$")).wait_for()
    own.write_text("a bank\n" * 500, encoding="utf-8")
    page.get_by_label("Load sentences from a file").set_input_files(own)
    page.get_by_role("alert").get_by_text("own.txt has 500 lines; a map holds 200 uses.").wait_for()


def test_neighbours(watched: Watched, tmp_path: Path) -> None:
    page = watched.open("neighbours")
    watched.text("“bank” occurs in 4 sentences of small.").wait_for()
    assert page.locator(".kwic tbody tr").count() == 4
    page.get_by_label("Sentence", exact=True).fill("Each cell of the bank was wet")
    page.get_by_label("Sentence", exact=True).blur()
    page.locator(".word", has_text="cell").click()
    page.get_by_role("button", name="Find its neighbours").click()
    watched.text("“cell” occurs in 1 sentence of small.").wait_for()
    assert page.locator(".kwic tbody tr").inner_text().split()[1:] == CORPUS[5].split()
    page.get_by_role("slider", name="Layer").fill("1")
    page.get_by_role("heading", name="Nearest uses in LSTM 1").wait_for()
    own = tmp_path / "mine.txt"
    own.write_text("A cell is small. The cell wall.\nNo more", encoding="utf-8")
    page.get_by_label("Load a text file of your own").set_input_files(own)
    watched.text("“cell” occurs in 2 sentences of mine.txt.").wait_for()


def test_language_model(watched: Watched, encoder: Encoder) -> None:
    page = watched.open("language-model")
    page.get_by_label("Sentences", exact=True).fill("The bank was wet\nthe river")
    page.get_by_role("button", name="Score").click()
    page.get_by_role("group", name="Surprisal of each word, forward and backward, in bits: the river").wait_for()
    (score,) = encoder.score(["The bank was wet"])
    first = page.locator(".stack figure").first
    titles = first.locator("title").all_text_contents()
    assert titles[1] == f"bank: forward {score.forward[1]:.1f}, backward {score.backward[1]:.1f}"
    first.locator("g.pick").nth(1).click()
    assert page.get_by_label("Sentence with a blank").input_value() == "The ___ was wet"
    page.get_by_label("Best words by").select_option("probability")
    page.get_by_label("with function words").check()
    best = encoder.substitutes(["The", "___", "was", "wet"], 1, 12)[0].word
    page.get_by_role("img", name=f"The best words for the blank: {best}").wait_for()
    page.get_by_label("Sentence with a blank").fill("no blank")
    page.get_by_role("button", name="Fill the blank").click()
    page.get_by_role("alert").get_by_text("there is no blank (___) in it").wait_for()
    watched.troubles.clear()  # the browser itself notes the 422


def test_classify(watched: Watched) -> None:
    page = watched.open("classify")
    page.get_by_label("Text", exact=True).fill("The river was wet and wide.")
    page.get_by_label("For or against").select_option("water")
    page.get_by_label("Weigh the words by").select_option("occlusion")
    page.get_by_role("button", name="Classify").click()
    page.get_by_role("heading", name="The words that led to “water”").wait_for()
    told = page.request.post(f"{watched.base}api/classify", data={"texts": ["The river was wet and wide."]}).json()
    best = told["texts"][0]["labels"][0]
    expected = f"tiny-news says {best['label']} with {100 * best['probability']:.1f} %."
    watched.text("would fall without the word").wait_for()
    assert page.locator(".summary").inner_text() == expected
    for title in ("Labels", "The layers' weights", "What each layer alone would say"):
        figure = page.get_by_role("figure", name=title)
        figure.locator(".plot svg").first.wait_for()
    assert "gamma" in page.get_by_role("img", name=re.compile("tiny-news: tokens")).get_attribute("aria-label")


def test_compare(watched: Watched, tmp_path: Path) -> None:
    page = watched.open("compare")
    page.get_by_role("heading", name="A <b>study</b>").wait_for()
    table = page.get_by_role("region", name="Scores on test")
    assert table.locator("tbody th").all_inner_texts()[1] == "TF-IDF"
    page.get_by_role("button", name="accuracy").click()
    assert page.get_by_role("columnheader", name="accuracy").get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="accuracy").click()
    assert table.locator("tbody th").all_inner_texts()[0] == "TF-IDF"
    page.get_by_label("Method in detail").select_option("TF-IDF")
    page.get_by_role("img", name="Confusion matrix of TF-IDF on test.").locator("svg").first.wait_for()
    file = tmp_path / "results.json"
    file.write_text(json.dumps({**full_study(), "title": "Mine"}), encoding="utf-8")
    page.get_by_label("Open a results.json").set_input_files(file)
    page.get_by_role("heading", name="Mine").wait_for()
    file.write_text("{}", encoding="utf-8")
    page.get_by_label("Open a results.json").set_input_files(file)
    page.get_by_role("alert").get_by_text("title: Field required").wait_for()
    watched.troubles.clear()  # the browser itself notes the 422


def test_a_first_visit_moves_once_from_the_tokens_to_the_layer_that_convinces(server: str, browser: Any) -> None:
    expect = pytest.importorskip("playwright.sync_api").expect
    for motion in ("no-preference", "reduce"):
        context = browser.new_context(reduced_motion=motion)
        page = Watched(context, server).page
        opening = page.request.get(f"{server}api/examples").json()["opening"]
        page.goto(server)
        slider = page.get_by_role("slider", name="Layer")
        if motion == "no-preference":
            page.wait_for_function("() => document.querySelector('.slider input')?.value === '0'")
        expect(slider).to_have_value(str(opening["layer"]), timeout=30_000)
        expect(page.get_by_label("Word", exact=True)).to_have_value(opening["word"])
        assert "#" not in page.url
        if motion == "reduce":
            page.get_by_role("button", name="Play").click()
            expect(slider).to_have_value("0")
            slider.fill("1")
            page.wait_for_timeout(2500)
            expect(slider).to_have_value("1")  # a hand on the slider ends the play
        context.close()


def test_a_use_is_shown_in_list_map_and_matrix(watched: Watched) -> None:
    page = watched.open("senses?word=bank")
    page.locator(SHOWN).nth(1).wait_for()
    charts = "[...document.querySelectorAll('.picture .plot')]"
    page.locator(".use").nth(2).hover()
    page.locator(".hoverlayer", has_text="use 3").wait_for()
    assert page.evaluate(f"{charts}[1].layout.shapes.length") == 4
    page.get_by_role("heading", name="Senses").hover()
    page.wait_for_function(f"() => {charts}[1].layout.shapes.length === 2")
    point = page.locator(".scatterlayer .points path").first.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    linked = page.locator(".use.linked")
    linked.wait_for()
    page.locator(".hoverlayer", has_text=f"use {linked.locator('.number').inner_text()}").wait_for()
    page.get_by_label("t-SNE").check()  # draws at once
    page.get_by_role("img", name=re.compile("t-SNE map of 16 uses of bank")).wait_for()
    assert "method=tsne" in page.url


def test_a_link_is_copied_and_tabs_say_that_there_are_more(server: str, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 700})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched = Watched(context, server)
    page = watched.open("senses?word=bat")
    page.locator("#tabs.more").wait_for()
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    watched.open("compare")
    page.locator("#tabs.before:not(.more)").wait_for()
    page.get_by_role("region", name="Scores on test").locator(".best").first.wait_for()
    context.close()


def test_a_blank_by_lift(watched: Watched, encoder: Encoder) -> None:
    page = watched.open("language-model")
    page.get_by_label("Sentence with a blank").fill("The ___ was wet.")
    page.get_by_role("button", name="Fill the blank").click()
    page.get_by_text("How many times more likely each word is here than in text at large").wait_for()
    label = page.get_by_role("img", name=re.compile("The best words for the blank")).get_attribute("aria-label")
    assert label is not None
    assert set(re.findall(r"\w+", label.split(":")[1])) == {"bank", "river", "wet", "cell"}  # no function words
    page.get_by_label("with function words").check()
    page.get_by_role("img", name=re.compile(r"The best words for the blank: .*\bthe\b")).wait_for()
    assert "words=all" in page.url


def test_examples_and_empty_files(watched: Watched, tmp_path: Path) -> None:
    page = watched.open("classify")
    page.get_by_role("button", name="shares").click()
    page.locator(".summary", has_text="tiny-news says").wait_for()
    assert page.get_by_label("Text", exact=True).input_value().startswith("Shares of the bank")
    empty = tmp_path / "empty.txt"
    empty.write_text("\n", encoding="utf-8")
    for view, label in (
        ("senses?word=bank", "Load sentences from a file"), ("neighbours", "Load a text file of your own"),
        ("compare", "Open a results.json"),
    ):  # fmt: skip
        page = watched.open(view)
        page.get_by_label(label).set_input_files(empty)
        page.get_by_role("alert").get_by_text("empty.txt is empty.").wait_for()
    page = watched.open("neighbours?sentence=A+zebra&place=1")
    watched.text("“zebra” does not occur in small.").wait_for()


def test_by_keyboard_alone(watched: Watched) -> None:
    page = watched.open("senses?word=bank")
    page.reload()
    page.locator(".use").first.wait_for()
    press, focused = page.keyboard.press, "document.activeElement"
    press("Tab")
    assert page.evaluate(f"{focused}.textContent") == "Skip to the view"
    for _ in range(6):
        press("Tab")
    assert page.evaluate(f"{focused}.textContent") == "Neighbours"
    outline = page.evaluate(f"getComputedStyle({focused}).outlineStyle")
    assert outline == "solid"  # the focus is seen
    press("Tab")
    press("Enter")
    page.get_by_role("heading", name="Surprisal").wait_for()
    assert page.title() == "Language model · elmokit explorer"
    assert page.evaluate(f"{focused}.id") == "view"
    assert page.get_by_role("link", name="Language model").get_attribute("aria-current") == "page"
    press("Tab")
    press("ControlOrMeta+a")
    page.keyboard.type("the wet bank")
    page.evaluate(
        "window.said = []; const spoken = document.querySelector('#spoken');"
        "new MutationObserver(() => said.push(spoken.innerText)).observe(spoken, {childList: true, subtree: true});"
    )  # what the view says of the blank may come at once after it
    press("Tab")
    press("Enter")
    page.get_by_role("group", name=re.compile("in bits: the wet bank")).wait_for()
    page.wait_for_function("said.some(text => text.includes('bits a word on average'))")
    press("Tab")
    assert page.evaluate(f"{focused}.textContent") == "PNG"
    page.locator("g.pick").first.focus()
    press("ArrowRight")
    assert str(page.evaluate(f"{focused}.getAttribute('aria-label')")).startswith("wet: forward")
    press("Enter")
    assert page.get_by_label("Sentence with a blank").input_value() == "the ___ bank"
    page.goto(f"{watched.base}#neighbours")
    page.locator(".kwic").wait_for()
    page.locator(".words input:checked").focus()
    press("ArrowRight")
    assert page.evaluate(f"{focused}.labels[0].textContent") == "raised"
    page.get_by_role("slider", name="Layer").focus()
    press("ArrowLeft")
    page.get_by_role("heading", name="Nearest uses in LSTM 1").wait_for()


def test_what_is_typed_is_text(watched: Watched, tmp_path: Path) -> None:
    page = watched.open(f"senses?word=bank&text={quote(f'{ATTACK[:38]} | a bank {ATTACK} of')}&layer=9")
    page.locator(".use").get_by_text("window.hacked=1").first.wait_for()
    page.locator(SHOWN).first.wait_for()
    page.goto(f"{watched.base}#senses?word={quote(ATTACK)}&text={quote(ATTACK)}")
    page.get_by_role("alert").or_(page.locator(".summary", has_text=ATTACK)).first.wait_for()
    page.goto(f"{watched.base}#neighbours?sentence={quote(f'a bank {ATTACK}')}&place=1&corpus=%3Cb%3E")
    page.get_by_role("alert").wait_for()
    own = tmp_path / f"{ATTACK[:40].replace('/', '')}.txt"
    own.write_text(f"A bank {ATTACK}", encoding="utf-8")
    page.get_by_label("Load a text file of your own").set_input_files(own)
    page.locator(".kwic .after", has_text="window.hacked=1").wait_for()
    page.locator(".kwic .before").first.hover()
    page.goto(f"{watched.base}#language-model?text={quote(ATTACK)}&blank={quote(f'___ {ATTACK}')}")
    page.get_by_role("group", name=re.compile("in bits: < img")).wait_for()
    page.get_by_text("from both sides: ___ <img").wait_for()
    page.goto(f"{watched.base}#classify?text={quote(ATTACK)}")
    page.locator("figure text", has_text="img").first.wait_for()
    shown = page.get_by_role("figure", name="Labels").locator(".ytick text").all_text_contents()
    assert "<b>odd</b>" in shown
    page.goto(f"{watched.base}#compare")
    page.get_by_role("rowheader", name="<i>ELMo</i>").first.wait_for()
    page.get_by_text("<script>alert(1)</script>").wait_for()
    page.locator(SHOWN).first.wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script, main a[href^=javascript]").count() == 0
    watched.troubles.clear()  # the browser itself notes the 404


@pytest.mark.parametrize("view", VIEWS)
def test_pictures_and_data_are_saved(watched: Watched, tmp_path: Path, view: str) -> None:
    page = watched.open(view)
    figures = page.locator("figure:visible")
    page.locator(SHOWN).first.wait_for()
    page.wait_for_timeout(600)
    count = figures.count()
    assert count >= {"compare": 6}.get(view, 2)
    for number in range(count):
        if number % 3 == 2:  # Chromium gives a page about ten files
            page.reload()
            page.locator(SHOWN).first.wait_for()
        figure = figures.nth(number)
        for kind in ("PNG", "SVG", "CSV"):
            with page.expect_download() as download:
                figure.get_by_role("button", name=kind).click()
            file = tmp_path / download.value.suggested_filename
            download.value.save_as(file)
            if kind == "PNG":
                head = file.read_bytes()[:24]
                assert head[:8] == b"\x89PNG\r\n\x1a\n" and min(struct.unpack(">II", head[16:])) > 60
            elif kind == "SVG":
                assert ElementTree.fromstring(file.read_text(encoding="utf-8")).tag.endswith("svg")
            else:
                rows = list(csv.reader(file.open(encoding="utf-8", newline="")))
                assert len(rows) > 1 and len({len(row) for row in rows}) == 1


def test_an_address_holds_the_inputs(watched: Watched) -> None:
    page = watched.open("senses?word=bank")
    page.locator(".use").first.wait_for()
    page.get_by_role("link", name="pitch", exact=True).click()
    watched.text("14 uses of “pitch” in 2 senses").wait_for()
    page.get_by_role("slider", name="Layer").fill("1")
    address = page.url
    page.get_by_role("link", name="Classify").click()
    page.get_by_label("Text", exact=True).fill("wet cell")
    page.get_by_role("button", name="Classify").click()
    page.locator(".summary strong").wait_for()
    assert page.url.endswith("#classify?text=wet+cell")
    page.reload()
    page.locator(".summary strong").wait_for()
    assert page.get_by_label("Text", exact=True).input_value() == "wet cell"
    page.go_back()
    page.go_back()
    watched.text("14 uses of “pitch” in 2 senses").wait_for()
    assert page.url == address
    assert page.get_by_role("slider", name="Layer").input_value() == "1"


def test_a_server_that_is_busy_wrong_or_gone(watched: Watched) -> None:
    answers = [(503, "busy"), (500, "Internal server error.")]
    page = watched.page

    def answer(route: Any) -> None:
        if not answers:
            route.continue_()
            return
        status, message = answers.pop(0)
        body = json.dumps({"error": {"code": "x", "message": message, "hint": "Its log has the details."}})
        route.fulfill(status=status, body=body, content_type="application/json", headers={"Retry-After": "2"})

    page.route("**/api/senses", answer)
    watched.open("senses?word=bat")
    page.locator("#spoken", has_text="The server is busy; asking again in 2 s").wait_for()
    page.get_by_role("alert").get_by_text("Internal server error.").wait_for()
    page.unroute("**/api/senses")
    page.route("**/api/senses", lambda route: route.abort())
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("alert").get_by_text("Is elmo serve still running?").wait_for()
    page.unroute("**/api/senses")
    page.get_by_role("button", name="Try again").click()
    watched.text("14 uses of “bat” in 2 senses").wait_for()
    watched.troubles.clear()  # the browser itself notes what was refused


def test_the_theme_is_kept(watched: Watched) -> None:
    page = watched.open("senses?word=bank")
    button = page.get_by_role("button", name=re.compile("^Theme"))
    ink = "getComputedStyle(document.body).color"
    button.click()
    light = page.evaluate(ink)
    button.click()
    assert button.inner_text() == "Theme: dark"
    assert _light(page.evaluate(ink)) > _light(light)
    page.reload()
    page.locator("main .view").wait_for()
    assert button.inner_text() == "Theme: dark"
    assert _light(page.evaluate(ink)) > _light(light)
    button.click()
    assert button.inner_text() == "Theme: auto"


def test_views_say_what_the_server_lacks(browser: Any, encoder: Encoder) -> None:
    with running(Loaded(Encoder(encoder.model), name="bare")) as address:
        watched = Watched(browser, address)
        page = watched.open("senses?word=bank")
        watched.text("elmo serve --model DIR --vectors V.txt").wait_for()
        flags = {
            "neighbours": "--corpus FILE",
            "language-model": "",
            "classify": "--classifier DIR",
            "compare": "--study DIR",
        }
        for view, flag in flags.items():
            page = watched.open(view)
            assert page.locator(".missing code").inner_text() == f"elmo serve --model DIR {flag}".strip()
        assert watched.troubles == []
        page.close()


def _light(colour: str) -> int:
    return sum(int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
