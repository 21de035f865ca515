"""Word splitting: the Penn Treebank's habits, every script, and offsets that never lie."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from elmokit.text.words import iter_words, split_words, whitespace_spans, word_spans

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
"""Every code point, lone surrogates too."""
TRICKY = st.text(
    st.sampled_from("aZ9 .'’-,:/&@#$€(\"!\\_%\u200d\u0301\ufe0f👍🇩🇪東カーひน\ud800\x00\t\u2028"), max_size=40
)
TEXTS = st.one_of(ANY_TEXT, TRICKY)


PENN = [
    # contractions and possessives
    ("I don't know", "I|do|n't|know"),
    ("Can't won't AIN'T", "Ca|n't|wo|n't|AI|N'T"),
    ("can’t he’s", "ca|n’t|he|’s"),
    ("I'd've we'll they're I'm you've", "I|'d|'ve|we|'ll|they|'re|I|'m|you|'ve"),
    ("cannot Gonna gimme wanna gotta lemme", "can|not|Gon|na|gim|me|wan|na|got|ta|lem|me"),
    ("d'ye more'n 'tis 'Twas", "d'|ye|more|'n|'t|is|'T|was"),
    ("Macy's dogs' O'Neill rock'n'roll", "Macy|'s|dogs|'|O'Neill|rock'n'roll"),
    ("the '90s, '04 and 'em", "the|'90s|,|'04|and|'em"),
    # periods
    ("The end.", "The|end|."),
    ("It ended. Then it began.", "It|ended|.|Then|it|began|."),
    ("Mr. J. Smith of Acme Inc. met Dr. No.", "Mr.|J.|Smith|of|Acme|Inc.|met|Dr.|No."),
    ("the U.S. and the U.S.'s U.S.-based", "the|U.S.|and|the|U.S.|'s|U.S.-based"),
    ("at 5 p.m., e.g. a Ph.D. (Ky.)", "at|5|p.m.|,|e.g.|a|Ph.D.|(|Ky.|)"),
    ("older than I.", "older|than|I|."),
    ("slide.The end", "slide|.|The|end"),
    ("wait... no.... U.S...", "wait|...|no|....|U.S|..."),
    # numbers
    ("1,875,000 $1.88M 3.5% -5 +.5 .25", "1,875,000|$|1.88M|3.5|%|-5|+.5|.25"),
    ("53-3 at 10:30 on 9/11, 1990s 2nd", "53-3|at|10:30|on|9/11|,|1990s|2nd"),
    ("US$5 (-3) €2.50 1,000.", "US$|5|(|-3|)|€|2.50|1,000|."),
    ("1, 2 and 3: 4", "1|,|2|and|3|:|4"),
    ("٣٫٥ ١٬٠٠٠", "٣٫٥|١٬٠٠٠"),
    # addresses
    ("http://www.x.com/a?b=c.", "http://www.x.com/a?b=c|."),
    ('(https://x.org/y), "www.z.net"', '(|https://x.org/y|)|,|"|www.z.net|"'),
    ("mail foo.bar+baz@mail.co.uk, please", "mail|foo.bar+baz@mail.co.uk|,|please"),
    ("SPACE.com p2pnet.net MSFT.O", "SPACE.com|p2pnet.net|MSFT.O"),
    ("@handle #tag", "@|handle|#|tag"),
    # hyphens, dashes, slashes, quotes, brackets
    ("three-year -- long--short well- known", "three-year|--|long|--|short|well|-|known"),
    ("and/or AT&T S&P R & D", "and|/|or|AT&T|S&P|R|&|D"),
    ("\"nuts,\" he said; 'no'", "\"|nuts|,|\"|he|said|;|'|no|'"),
    ("``quoted'' (AP) [x]{y}", "``|quoted|''|(|AP|)|[|x|]|{|y|}"),
    ("snake_case a\\b 50!?", "snake_case|a|\\|b|50|!|?"),
    ("&lt;b&gt; &#39; R&D;", "&lt;|b|&gt;|&#39;|R&D|;"),
    # scripts and pictures
    ("Größe naïve cafe\u0301", "Größe|naïve|cafe\u0301"),
    ("नमस्ते दुनिया।", "नमस्ते|दुनिया|।"),
    ("مرحبا، كيف حالك؟", "مرحبا|،|كيف|حالك|؟"),
    ("می\u200cخواهم", "می\u200cخواهم"),
    ("Привет, мир!", "Привет|,|мир|!"),
    ("東京タワーへ2024年に", "東|京|タワー|へ|2024|年|に"),
    ("안녕하세요 세계.", "안녕하세요|세계|."),
    ("สวัสดีครับ", "สวัสดีครับ"),
    ("good👍🏽day👨\u200d👩\u200d👧❤️!", "good|👍🏽|day|👨\u200d👩\u200d👧|❤️|!"),
    ("🇩🇪🇫🇷 1️⃣ ©2004", "🇩🇪|🇫🇷|1️⃣|©|2004"),
    ("", ""),
    (" \t\n\u2028\u3000 ", ""),
]


@pytest.mark.parametrize(("text", "words"), PENN)
def test_words_of_news_web_and_world(text: str, words: str) -> None:
    assert split_words(text) == (words.split("|") if words else [])


@given(TEXTS)
@example("a\x1cb\x85c\u200bd\ufeff\u180e")
@example("\u0301\u0301 \u200d")
@example("n't 's '' ``")
def test_spans_are_increasing_disjoint_and_cover_all_but_blanks(text: str) -> None:
    spans = word_spans(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    assert covered == {place for place, character in enumerate(text) if not character.isspace()}


@given(TEXTS)
def test_all_ways_to_the_words_agree(text: str) -> None:
    assert split_words(text) == [text[start:end] for start, end in word_spans(text)] == list(iter_words(text))


@given(TEXTS)
def test_whitespace_mode_takes_pieces_between_blanks_whole(text: str) -> None:
    assert [text[start:end] for start, end in whitespace_spans(text)] == text.split()


@given(st.lists(TRICKY, max_size=4))
def test_a_word_depends_on_what_touches_it_alone(texts: list[str]) -> None:
    assert split_words(" ".join(texts)) == [word for text in texts for word in split_words(text)]


@pytest.mark.parametrize(
    "piece",
    ["a", "a.", "a-", "a'd", "'s", "+", "-=", "http://", "a@", "@a.", "&", "&a", "1,", "🇩", "\u0301", "ー", "東", "."],
)
def test_endless_chunks_take_time_in_proportion(piece: str) -> None:
    """Quadratic work on 100,000 characters would not come back within minutes."""
    text = piece * (100_000 // len(piece))
    assert "".join(split_words(text)) == text


def test_a_text_of_a_million_words_is_read_word_by_word() -> None:
    words = iter_words("word " * 1_000_000)
    assert next(words) == "word"
    assert sum(1 for _ in words) == 999_999
