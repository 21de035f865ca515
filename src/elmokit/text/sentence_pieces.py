"""Sentences as numbers of pieces and back, without loss: byte-pair encoding of whole raw sentences.

A translator writes such pieces: no word is unknown to it, since what is rare falls into smaller pieces, in the worst
case into bytes (Sennrich et al. 2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from elmokit.errors import ModelError
from elmokit.text.char_ids import replace_surrogates
from elmokit.whole_files import write_text

BEGIN, END = 0, 1
"""Numbers of the two markers; they are no pieces, so text that looks like a marker stays text."""
_MARKERS = 2
PIECES_FILE = "target_pieces.json"


class SentencePieces:
    """Byte-pair encoding over UTF-8 bytes, blanks included: `decode(encode(text))` is `text`."""

    def __init__(self, serialised: str) -> None:
        """See `trained` and `load`.

        Raises:
            ModelError: `serialised` is not what `save` wrote.
        """
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(serialised)
        except Exception as error:  # whatever the Rust side finds wrong with it
            raise ModelError(f"the table of target pieces is damaged: {error}") from error

    @classmethod
    def trained(cls, texts: Iterable[str], *, n_pieces: int) -> SentencePieces:
        """Pieces of these texts: the 256 bytes, then the most frequent merges, at most `n_pieces` with the markers."""
        from tokenizers import Tokenizer
        from tokenizers.decoders import ByteLevel as ByteLevelDecoder
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import ByteLevel
        from tokenizers.trainers import BpeTrainer

        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
        tokenizer.decoder = ByteLevelDecoder()
        trainer = BpeTrainer(
            vocab_size=n_pieces - _MARKERS, min_frequency=2, initial_alphabet=ByteLevel.alphabet(), show_progress=False
        )
        tokenizer.train_from_iterator((replace_surrogates(text) for text in texts), trainer)
        return cls(tokenizer.to_str())

    @classmethod
    def load(cls, folder: Path) -> SentencePieces:
        """The pieces saved with a model.

        Raises:
            ModelError: The file is missing or damaged.
        """
        path = folder / PIECES_FILE
        try:
            return cls(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(f"cannot read {path}, which a translator needs: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ModelError(f"{path} is damaged: {error}") from error

    def save(self, folder: Path) -> None:
        """Write the pieces next to a model."""
        write_text(folder / PIECES_FILE, self._tokenizer.to_str())

    def __len__(self) -> int:
        """Pieces and markers."""
        return int(self._tokenizer.get_vocab_size()) + _MARKERS

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The pieces of each text, without markers."""
        encodings = self._tokenizer.encode_batch([replace_surrogates(text) for text in texts])
        return [[number + _MARKERS for number in encoding.ids] for encoding in encodings]

    def decode(self, pieces: Sequence[int]) -> str:
        """The text of some pieces; markers are left out, bytes that are no character become U+FFFD."""
        return str(self._tokenizer.decode([number - _MARKERS for number in pieces if number >= _MARKERS]))
