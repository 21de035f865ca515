"""Clean-up steps: what the mark-up of real news looks like, and what must stay as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import ConfigError
from elmokit.text.normalize import STEPS, check_steps, clean_markup, normalize


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("tuesday #39;s vote doesn #39;t", "tuesday's vote doesn't"),
        ("the players #39; union", "the players' union"),
        ("as  quot;nuts, quot; adding", 'as "nuts," adding'),
        ("he said  quot;yes quot;.", 'he said "yes".'),
        (" #36;10 million", "$10 million"),
        ("AT amp;T and Johnson  amp; Johnson", "AT&T and Johnson & Johnson"),
        ("a second\\team of\\\\rockets", "a second team of rockets"),
        ("Tri-Nations &lt;b&gt;...&lt;/b&gt;", "Tri-Nations ..."),
        ('&lt;A HREF="http://x.com/q?t=1"&gt;PIXR.O&lt;/A&gt; fell', "PIXR.O fell"),
        ("&amp;lt;br&amp;gt; caf&eacute; &#8212; end", "café — end"),
        (" lt;p gt;text lt;/p gt;", "text"),
        ("wait #151; what", "wait — what"),
        ("if a < b and c > d; then", "if a < b and c > d; then"),
        ("issue #39 of 100; done", "issue #39 of 100; done"),
        ("  many \t blanks\u3000here ", "many blanks here"),
        ("", ""),
    ],
)
def test_clean_markup(raw: str, clean: str) -> None:
    assert clean_markup(raw) == clean


@given(st.text(st.sampled_from("a #39;quot&ltg<>/\\ amp\ud800"), max_size=40))
def test_clean_markup_takes_any_text(text: str) -> None:
    clean = clean_markup(text)
    assert "\\" not in clean
    assert clean == " ".join(clean.split())


@pytest.mark.parametrize("piece", ["<a", "&", "#39", " quot;", "\\", "<!--"])
def test_clean_markup_takes_time_in_proportion(piece: str) -> None:
    clean_markup(piece * 50_000)


def test_steps_are_done_in_their_order() -> None:
    assert normalize("CAFE\u0301&amp;", ["clean_markup", "unicode_nfc", "lower_case"]) == "café&"
    assert normalize("As It Is", []) == "As It Is"


def test_an_unknown_step_is_named_with_those_there_are() -> None:
    check_steps(list(STEPS))
    with pytest.raises(ConfigError, match="'clean'; expected one of clean_markup, lower_case, unicode_nfc"):
        check_steps(["clean"])


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("I can't, won't and don't.", "I can not, will not and do not."),
        ("It's the dog's; they’re what we've got", "It is the dog's; they are what we have got"),
        ("Let's go, I'm sure he'd say she'll", "let us go, I am sure he would say she will"),
        ("rock 'n' roll of the '90s", "rock 'n' roll of the '90s"),
    ],
)
def test_contractions(raw: str, clean: str) -> None:
    assert STEPS["expand_contractions"](raw) == clean


def test_the_steps_of_courses() -> None:
    steps = ["expand_contractions", "replace_urls", "remove_punctuation", "lower_case"]
    raw = "See https://x.org/a?b=1 or mail a.b@c.de: it's $5.20, \"naïve\"—isn't it?"
    assert normalize(raw, steps) == "see url or mail url it is 5 20 naïve is not it"
