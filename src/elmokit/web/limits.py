"""How much the server takes on at once. Every bound on memory stands here."""

from __future__ import annotations

from dataclasses import dataclass

# A request, as the OpenAPI page shows it.
MOST_SENTENCES = 256
MOST_CHARACTERS = 10_000  # of a sentence
MOST_WORDS = 2_000  # of a sentence
LONGEST_WORD = 500  # characters
MOST_TEXTS = 64  # to classify
MOST_USES = 200  # of a word on one map
MOST_NEIGHBOURS = 50
MOST_SUBSTITUTES = 100
UPLOAD_CHARACTERS = 2_000_000  # of a corpus


@dataclass(frozen=True)
class Limits:
    """What requests together may hold.

    Attributes:
        body: Bytes of a request's body; `upload` where a corpus or a study comes in.
        words: Words of a request, all sentences together.
        numbers: Floats in one answer; `list_numbers` where they are written as JSON numbers.
        all_numbers: Floats in all answers being computed or sent.
        requests: Requests at once; more get a 503 with Retry-After. Of them `uploads` with large bodies.
        waiting: Jobs that wait for the model.
        body_seconds: For the whole body to arrive.
        seconds: For a job to be done.
        total_seconds: For a request, its answer sent.
        corpora: Uploaded corpora that are kept; the oldest goes first.
        searched: Most occurrences of a word in a corpus that are analysed.
    """

    body: int = 1 << 20
    upload: int = 8 << 20
    words: int = 20_000
    numbers: int = 4_000_000
    list_numbers: int = 1_000_000
    all_numbers: int = 24_000_000
    requests: int = 64
    uploads: int = 4
    waiting: int = 48
    body_seconds: float = 20.0
    seconds: float = 60.0
    total_seconds: float = 150.0
    corpora: int = 4
    searched: int = 300
