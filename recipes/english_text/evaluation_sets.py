"""The validation and test files whose sentences are kept out of the training text, and how each is read.

A set without a split is read whole: Brown, CR, MPQA, STS, WinoBias, the all-words sense sets. The development file of
GAP, which some train on, is read too. MASC is no evaluation set here but training text, as it was for the first models.
"""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from english_text.data_folder import DataFolder

Reader = Callable[[DataFolder, str], Iterator[str]]

_LEAF = re.compile(r" ([^() ]+)\)")
_WORD_ELEMENT = re.compile(r"<(?:wf|instance)\b[^>]*>([^<]*)</(?:wf|instance)>")


@dataclass(frozen=True)
class EvaluationSet:
    """Files by pattern, and what gives the texts of one."""

    patterns: tuple[str, ...]
    read: Reader

    def files(self, data: DataFolder) -> list[str]:
        """Names of its files; each pattern has to match one."""
        return [name for pattern in self.patterns for name in data.names(pattern)]

    def texts(self, data: DataFolder) -> Iterator[str]:
        """The texts of all its files."""
        for name in self.files(data):
            yield from self.read(data, name)


def plain(data: DataFolder, name: str) -> Iterator[str]:
    """A text per line."""
    return data.lines(name)


def fields(*numbers: int) -> Reader:
    """The fields of these numbers, from 0, of tab-separated lines; a header is harmless."""

    def read(data: DataFolder, name: str) -> Iterator[str]:
        for line in data.lines(name):
            row = line.split("\t")
            yield from (row[number] for number in numbers if number < len(row))

    return read


def columns(number: int, *, comment: str | None = None) -> Reader:
    """Sentences of a word per line, parted by empty lines; the word stands in the column of this number."""

    def read(data: DataFolder, name: str) -> Iterator[str]:
        words: list[str] = []
        for line in data.lines(name):
            if not line.strip():
                yield " ".join(words)
                words = []
            elif comment is None or not line.startswith(comment):
                words.append(line.split()[number])
        yield " ".join(words)

    return read


def behind(separator: str) -> Reader:
    """What follows the first separator of each line."""

    def read(data: DataFolder, name: str) -> Iterator[str]:
        return (line.partition(separator)[2] for line in data.lines(name))

    return read


def conllu_texts(data: DataFolder, name: str) -> Iterator[str]:
    """The `# text` of each sentence."""
    return (line.removeprefix("# text = ") for line in data.lines(name) if line.startswith("# text = "))


def trees(data: DataFolder, name: str) -> Iterator[str]:
    """The leaves of a bracketed tree per line."""
    return (" ".join(_LEAF.findall(line)) for line in data.lines(name))


def news_rows(data: DataFolder, name: str) -> Iterator[str]:
    """Title and description of AG News."""
    return (text for row in csv.reader(data.lines(name)) for text in row[1:])


def questions(data: DataFolder, name: str) -> Iterator[str]:
    """Passages and questions of SQuAD."""
    for article in data.json(name)["data"]:
        for paragraph in article["paragraphs"]:
            yield paragraph["context"]
            yield from (question["question"] for question in paragraph["qas"])


def marked_mentions(data: DataFolder, name: str) -> Iterator[str]:
    """Numbered lines of WinoBias; the brackets around mentions do not count when sentences are compared."""
    return (line.partition(" ")[2] for line in data.lines(name))


def sense_sentences(data: DataFolder, name: str) -> Iterator[str]:
    """Sentences of the all-words sense sets."""
    words: list[str] = []
    for line in data.lines(name):
        words += map(html.unescape, _WORD_ELEMENT.findall(line))
        if line.startswith("</sentence>"):
            yield " ".join(words)
            words = []


FIRST_SETS: dict[str, EvaluationSet] = {
    "wikitext2": EvaluationSet(("wikitext2/*.gz",), plain),
    "ptb": EvaluationSet(("ptb/ptb.test.txt.gz", "ptb/ptb.valid.txt.gz"), plain),
    "ag_news": EvaluationSet(("ag_news/test.csv.gz",), news_rows),
    "conll2003": EvaluationSet(("conll2003/eng.test*",), columns(0)),
    "conll2000": EvaluationSet(("conll2000/test.txt.gz",), columns(0)),
    "wnut17": EvaluationSet(("wnut17/dev.conll.gz", "wnut17/test.conll.gz"), columns(0)),
    "sst_trees": EvaluationSet(("sst/trees/dev.txt.gz", "sst/trees/test.txt.gz"), trees),
    "sst_binary": EvaluationSet(("sst/binary/stsa.binary.dev.gz", "sst/binary/stsa.binary.test.gz"), behind(" ")),
    "multi30k": EvaluationSet(("multi30k/test*.en.gz", "multi30k/val.en.gz"), plain),
    "squad": EvaluationSet(("squad/dev-*.json.gz",), questions),
}
"""What the text of the first elmo-mini was compared with."""

EWT_SETS: dict[str, EvaluationSet] = {
    "ud_ewt": EvaluationSet(("ud/en_ewt/dev.conllu.xz", "ud/en_ewt/test.conllu.xz"), conllu_texts),
    "srl_propbank_ewt": EvaluationSet(
        ("srl_propbank_ewt/dev.conll.xz", "srl_propbank_ewt/test.conll.xz"), columns(1, comment="# sent_id")
    ),
}
"""Evaluation files of the English Web Treebank, whose short sentences are kept out as well."""

EVALUATION_SETS: dict[str, EvaluationSet] = {
    **FIRST_SETS,
    **EWT_SETS,
    "sst_phrases": EvaluationSet(("sst/sst2_phrases/dev.tsv.gz",), fields(0)),
    "brown": EvaluationSet(("brown/brown.txt.gz",), fields(1)),
    "coref_ontogum": EvaluationSet(
        ("coref_ontogum/dev.conll.xz", "coref_ontogum/test.conll.xz"), columns(3, comment="#")
    ),
    "coref_gap": EvaluationSet(("coref_gap/gap-*.tsv.xz",), fields(1)),
    "coref_winobias": EvaluationSet(("coref_winobias/*.xz",), marked_mentions),
    "sick": EvaluationSet(("sick/SICK_test_annotated.txt.xz", "sick/SICK_trial.txt.xz"), fields(1, 2)),
    "snli": EvaluationSet(("snli/dev.tsv.xz", "snli/test.tsv.xz"), fields(1, 2, 3)),
    "sts12_16": EvaluationSet(("sts12_16/*.tsv.xz",), fields(1, 2)),
    "senteval_cr": EvaluationSet(("senteval/CR/*.xz",), plain),
    "senteval_mpqa": EvaluationSet(("senteval/MPQA/*.xz",), plain),
    "senteval_mrpc": EvaluationSet(("senteval/MRPC/msr_paraphrase_test.txt.xz",), fields(3, 4)),
    "cola": EvaluationSet(("cola/dev.tsv.xz",), fields(3)),
    "wsd_all_words": EvaluationSet(("wsd_all_words/*.data.xml.xz",), sense_sentences),
}
