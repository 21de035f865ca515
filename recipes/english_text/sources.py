"""The sources of the text: what each is, whom to name, its terms, its files, its weight in the mixture.

**Weights.** A pass over new words teaches more than one over words seen before, so what is varied is taken whole, once.
The exceptions, by what a source does to the mixture:

- *A half* of what repeats set phrases or keeps to one narrow subject, and would teach its forms at the price of other
  words: the General Debate, court opinions, speeches of the Federal Reserve, abstracts, medical articles and leaflets,
  design proposals.
- *A quarter* of the novels of one author, written around 1900. They were 60 % of the first text of `elmo-mini`; at a
  quarter they have a third of the words that the fiction of the 20th century has.
- *Twice* what is scarce and closest to the texts that users have: questions and answers, weblogs and reviews, news,
  interviews, conversation; 2.6 M words in all.
- *Once* the encyclopaedia, though it is 43 % of `lm_open`: no other source has as many names, places and subjects, and
  less of it would only mean fewer different words.
"""

from __future__ import annotations

from dataclasses import dataclass

from english_text import readers
from english_text.readers import Reader


@dataclass(frozen=True)
class Source:
    """One source.

    Attributes:
        name: Of its files and in reports.
        what: What it is, for model cards.
        attribution: Whom to name.
        terms: Its licence, as an SPDX identifier where there is one.
        files: Names in the data folder.
        read: Gives its documents.
        weight: How often each document is taken; of a broken number the rest is a random part of them.
    """

    name: str
    what: str
    attribution: str
    terms: str
    files: tuple[str, ...]
    read: Reader
    weight: float = 1.0


def _open(name: str, what: str, attribution: str, terms: str, *, weight: float = 1.0) -> Source:
    file = f"lm_open/{name}.txt.xz"
    return Source(name, what, attribution, terms, (file,), readers.documents(file), weight)


_WIKIPEDIA = "Wikipedia contributors"
_GOVERNMENT = "public domain (US government)"

SOURCES: tuple[Source, ...] = (
    _open("wikipedia", "English Wikipedia articles", _WIKIPEDIA, "CC-BY-SA-3.0 / CC-BY-SA-4.0"),
    _open(
        "un_general_debate", "Statements in the General Debate of the United Nations, 1995 to 2024",
        "UN General Debate Corpus (Jankin, Baturo, Dasandi)", "CC0-1.0", weight=0.5,
    ),
    _open("arxiv_abstracts", "Abstracts of arXiv papers up to 2019", "arXiv and its authors", "CC0-1.0", weight=0.5),
    _open(
        "openstax_earlier_versions", "OpenStax college textbooks, last versions under CC BY",
        "OpenStax, Rice University", "CC-BY-4.0",
    ),
    _open(
        "standard_ebooks", "Fiction and essays of 1907 to 1963", "Standard Ebooks",
        "CC0-1.0; texts in the public domain in the United States",
    ),
    _open(
        "oanc_technical", "BioMed Central and PLoS articles, reports of the US government",
        "BioMed Central, PLoS and their authors; Open American National Corpus", "CC-BY; public domain", weight=0.5,
    ),
    _open("openstax", "OpenStax college textbooks", "OpenStax, Rice University", "CC-BY-4.0"),
    _open(
        "software_proposals", "Design proposals and blogs of Rust, Swift, Kubernetes, Ethereum and Go",
        "the authors of rust-lang/rfcs, rust-lang/blog.rust-lang.org, swift-evolution, kubernetes/enhancements, "
        "ethereum/EIPs, golang/website", "MIT OR Apache-2.0; Apache-2.0; CC0-1.0; BSD-3-Clause", weight=0.5,
    ),
    _open(
        "medquad_health", "Answers of US health institutes", "MedQuAD (Ben Abacha and Demner-Fushman 2019)",
        "CC-BY-4.0", weight=0.5,
    ),
    _open(
        "stackexchange", "Questions and answers of small Stack Exchange sites", "Stack Exchange contributors",
        "CC-BY-SA-3.0 / CC-BY-SA-4.0", weight=2.0,
    ),
    _open("us_gov_digital", "digital.gov, 18F, Department of Veterans Affairs", "GSA, 18F, VA",
          "CC0-1.0 / public domain"),
    _open("wikipedia_tables_pages", "Wikipedia pages with big tables: their prose",
          f"{_WIKIPEDIA}; WikiTableQuestions (Pasupat and Liang 2015)", "CC-BY-SA-4.0"),
    _open("us_diplomatic_history", "Writings of the Office of the Historian", "US Department of State", _GOVERNMENT),
    _open("us_court_opinions", "Opinions of US federal courts of appeals", "CourtListener", _GOVERNMENT, weight=0.5),
    _open("python_peps", "Python Enhancement Proposals", "the authors of python/peps", "CC0-1.0 / public domain",
          weight=0.5),
    _open(
        "open_guides", "Guides and courses in computing and statistics",
        "Microsoft style guide and engineering playbook, opensource.guide, OWASP, NIST, Dive into Deep Learning, "
        "Learning Statistics with R, Software Carpentry", "CC-BY-4.0; CC-BY-SA-4.0; public domain",
    ),
    _open("fed_board_speeches", "Speeches of the Federal Reserve Board", "Federal Reserve", _GOVERNMENT, weight=0.5),
    _open("gov_handbooks", "plainlanguage.gov, handbook of 18F, GOV.UK developer documentation",
          "GSA, 18F, Government Digital Service (Crown copyright)", "CC0-1.0 / public domain; MIT"),
    _open("wikinews", "Wikinews articles of 2019 and 2020", "Wikinews contributors", "CC-BY-2.5", weight=2.0),
    _open("turing_way", "Handbook of reproducible research", "The Turing Way Community", "CC-BY-4.0"),
    _open("cia_factbook", "World Factbook", "Central Intelligence Agency", _GOVERNMENT),
    Source(
        "haggard_novels", "60 novels of H. Rider Haggard", "Project Gutenberg", "public domain",
        ("haggard_novels/haggard.txt.gz",), readers.chapters, weight=0.25,
    ),
    Source(
        "us_speeches", "State of the Union and inaugural addresses", "presidents of the United States",
        "public domain", ("lm_news/us_speeches/speeches.txt.gz",),
        readers.speeches("lm_news/us_speeches/speeches.txt.gz"),
    ),
    Source(
        "wikisplit", "Single sentences of Wikipedia", f"{_WIKIPEDIA}; WikiSplit (Botha et al. 2018)", "CC-BY-SA-4.0",
        ("lm_news/wikisplit/sentences.txt.gz",), readers.document_lines("lm_news/wikisplit/sentences.txt.gz"),
    ),
    Source(
        "ud_ewt", "English Web Treebank, training documents: weblogs, reviews, answers, mails, newsgroups",
        "Universal Dependencies English-EWT", "CC-BY-SA-4.0", ("ud/en_ewt/train.conllu.xz",),
        readers.treebank("ud/en_ewt/train.conllu.xz"), weight=2.0,
    ),
    Source(
        "gum_open", "GUM: Wikinews, Wikivoyage, Wikipedia, OpenStax and speeches",
        "Georgetown University Multilayer corpus and the authors of its documents", "CC-BY; public domain",
        ("lm_news/gum_open/gum.txt.gz",), readers.document_lines("lm_news/gum_open/gum.txt.gz"), weight=2.0,
    ),
    Source(
        "masc", "Written and spoken American English", "Manually Annotated Sub-Corpus (American National Corpus)",
        "free for any use", ("masc/masc_tagged.zip",), readers.masc, weight=2.0,
    ),
    Source(
        "squad_train_passages", "SQuAD 1.1: passages of the training set", f"{_WIKIPEDIA}; Rajpurkar et al. 2016",
        "CC-BY-SA-4.0", ("squad/train-v1.1-rebuilt.json.gz",), readers.squad_passages,
    ),
)  # fmt: skip

HELD_OUT_SOURCE = Source(
    "lm_open_valid", "Documents of every source of lm_open, apart from its training files", "as those", "as those",
    ("lm_open/valid.txt.xz",), readers.documents("lm_open/valid.txt.xz"),
)  # fmt: skip
"""Held-out text alone."""
