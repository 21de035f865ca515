"""What lets the Auto classes of transformers load a folder without `import elmokit.models` before:

AutoModel.from_pretrained(folder, trust_remote_code=True)

`config.json` and `tokenizer_config.json` name classes in a file next to them, and the file imports them from elmokit.
"""

from __future__ import annotations

from pathlib import Path

from elmokit.whole_files import write_text

REMOTE_FILE = "elmo_remote.py"
_CODE = '''"""The classes of this model are those of elmokit."""

try:
    from elmokit.models import *  # noqa: F403
except ImportError as error:
    raise ImportError(f"this model needs elmokit ({error}): pip install 'elmokit[train]'") from error
'''
_CLASSES = {
    "AutoConfig": "ElmoConfig",
    "AutoModel": "ElmoModel",
    "AutoModelForPreTraining": "ElmoForPreTraining",
    "AutoModelForQuestionAnswering": "ElmoForQuestionAnswering",
    "AutoModelForSeq2SeqLM": "ElmoForTranslation",
    "AutoModelForSequenceClassification": "ElmoForSequenceClassification",
    "AutoModelForTokenClassification": "ElmoForTokenClassification",
}
AUTO_MAP = {auto: f"{Path(REMOTE_FILE).stem}.{name}" for auto, name in _CLASSES.items()}
"""`auto_map` of `config.json`."""
TOKENIZER_AUTO_MAP = {"AutoTokenizer": [None, f"{Path(REMOTE_FILE).stem}.ElmoTokenizer"]}
"""`auto_map` of `tokenizer_config.json`: no slow tokenizer, and the fast one."""


def write_remote_file(folder: Path) -> None:
    """Write the file that both name into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / REMOTE_FILE, _CODE)
