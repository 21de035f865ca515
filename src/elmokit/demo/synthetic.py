"""A synthetic corpus: news-like sentences of four topics, generated from a small grammar.

Nothing in it is real news. It exists so that the whole chain runs offline in minutes, and so that the sense in which
an ambiguous word (bank, bat, pitch, cell, …) is used is known and can be checked. The words live in `grammar.py`.

Three things keep the topics from being a matter of keywords: ambiguous words occur in several topics, two sentences
in five carry a subordinate clause of another topic (the main clause decides), and a few words are misprinted.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import count

from elmokit.demo.grammar import ASIDES, CLAUSES, CONNECTORS, LEXICON, TOPICS

FOREIGN_CLAUSE = 0.40  # share of sentences with a subordinate clause of another topic
DATELINE = 0.20  # share that begin "HARBURY - "
ASIDE = 0.35  # share that end with a source or a time
MIN_WORDS, MAX_WORDS = 8, 34  # other sentences are thrown away
MISPRINT = 0.004  # share of words in which two neighbouring letters change places


@dataclass(frozen=True)
class Sense:
    """One use of an ambiguous word: `text[start:end]` is `word`, singular or plural, meant as `sense`."""

    word: str
    sense: str
    start: int
    end: int
    clause: str  # the template it stands in


@dataclass(frozen=True)
class Example:
    """One synthetic sentence, its topic and the ambiguous words in it."""

    text: str
    topic: str
    senses: tuple[Sense, ...]


def generate(n: int, seed: int) -> list[Example]:
    """`n` distinct sentences, the topics in equal shares and mixed order. The same seed gives the same sentences.

    The first k sentences of `generate(n, seed)` are those of `generate(k, seed)`.
    """
    rng = random.Random(seed)
    examples: list[Example] = []
    seen: set[str] = set()
    topics = (topic for _ in count() for topic in rng.sample(TOPICS, k=len(TOPICS)))  # each once in every four
    while len(examples) < n:
        topic = next(topics)
        example = _sentence(topic, rng)
        while example.text in seen or not MIN_WORDS <= len(example.text.split()) <= MAX_WORDS:
            example = _sentence(topic, rng)
        seen.add(example.text)
        examples.append(example)
    return examples


def _sentence(topic: str, rng: random.Random) -> Example:
    writer = _Writer(rng)
    if rng.random() < DATELINE:
        writer.write(rng.choice(LEXICON["place"]).upper() + " - ")
    main = rng.choice(CLAUSES[topic])
    if rng.random() < FOREIGN_CLAUSE:
        other = rng.choice([name for name in TOPICS if name != topic])
        connector = rng.choice(CONNECTORS)
        side = rng.choice(CLAUSES[other])
        if rng.random() < 0.5:
            clauses = [("", main, ""), (f" {connector} ", side, "")]
        else:
            clauses = [(f"{connector} ", side, ", "), ("", main, "")]
    else:
        clauses = [("", main, "")]
    for before, clause, after in clauses:
        writer.write(before)
        writer.clause(clause)
        writer.write(after)
    if rng.random() < ASIDE:
        writer.clause(rng.choice(ASIDES))
    writer.write(".")
    text = list(writer.text)
    kept = {i for sense in writer.senses for i in range(sense.start, sense.end)}
    for i in range(1, len(text) - 1):  # misprints: never of the first letter, nor inside an ambiguous word
        letters = text[i - 1].isalpha() and text[i].islower() and text[i + 1].islower()
        if letters and rng.random() < MISPRINT / 4 and not kept & {i, i + 1}:
            text[i], text[i + 1] = text[i + 1], text[i]
    return Example("".join(text), topic, tuple(writer.senses))


class _Writer:
    """Expands templates to text and notes where the ambiguous words fall.

    In a template `{slot}` takes one entry of LEXICON[slot]; `{bank/finance}` writes the ambiguous word itself;
    `a|b` entries are singular|plural, chosen once a clause for all slots marked `#`; a slot without `#` is singular.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.text = ""
        self.template = ""
        self.senses: list[Sense] = []

    def clause(self, template: str) -> None:
        """Write one clause with a grammatical number of its own."""
        self.template = template
        self._expand(template, plural=self.rng.random() < 0.4)

    def write(self, piece: str) -> None:
        """Add text: a capital at the beginning of the sentence, `a` before a vowel becomes `an`."""
        if piece and piece[0] in "aeiou" and (self.text in ("A ", "a ") or self.text.endswith((" a ", " A "))):
            self.text = self.text[:-1] + "n "
        if piece and (not self.text or self.text.endswith(" - ")):
            piece = piece[0].upper() + piece[1:]
        self.text += piece

    def _expand(self, template: str, *, plural: bool) -> None:
        before, brace, rest = template.partition("{")
        self.write(before)
        if not brace:
            return
        slot, _, after = rest.partition("}")
        several = plural and slot.endswith("#")
        slot = slot.removesuffix("#")
        if "/" in slot:
            word, sense = slot.split("/")
            ending = "es" if word.endswith(("ch", "s", "x")) else "s"
            self.write(word + ending if several else word)
            start = len(self.text) - len(word) - several * len(ending)
            self.senses.append(Sense(word, sense, start, len(self.text), self.template))
        elif slot == "number":
            self.write(_number(self.rng))
        else:
            singular, _, more = self.rng.choice(LEXICON[slot]).partition("|")
            self._expand(more or singular if several else singular, plural=several)
        self._expand(after, plural=plural)


def _number(rng: random.Random) -> str:
    """A number as newspapers print them."""
    kind = rng.randrange(4)
    if kind == 0:
        return str(rng.randrange(2, 99))
    if kind == 1:
        return f"{rng.randrange(1, 60)}.{rng.randrange(1, 10)}"
    if kind == 2:
        return f"{rng.randrange(1, 40)},{rng.randrange(0, 10)}00"
    return rng.choice(("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "a dozen"))
