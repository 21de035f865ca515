"""Which model lies where: folders, file pairs, zips, vectors, addresses and hub repositories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory

from elmokit.errors import ModelError
from elmokit.interop.archives import unpack
from elmokit.interop.bilm_tf import BILM_TF, ENDINGS
from elmokit.interop.many_langs import MANY_LANGS
from elmokit.interop.model_format import Found, Given
from elmokit.interop.our_folders import OUR_FORMAT
from elmokit.interop.vector_files import VECTORS
from elmokit.places import is_address, is_url
from elmokit.pretrained import located, shipped_models
from elmokit.saved_model.opening import refuse_part

_DEPTH = 3  # levels that are searched, the folder given included: archives often contain one folder
_HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")


FORMATS = (MANY_LANGS, OUR_FORMAT, BILM_TF, VECTORS)
"""Every format of models that is read: the first whose `detect` knows a path reads it."""


@contextmanager
def recognised(
    source: str | Path,
    *,
    options: str | Path | None = None,
    vocabulary: str | Path | None = None,
    sha256: str | None = None,
) -> Iterator[Found]:
    """What lies at `source`; archives are unpacked while the block runs.

    Args:
        source: A folder, a weight file, a zip, an http(s) address of a weight file or zip, or a hub repository's id.
        options: The options file (or its address) if it is not in the folder of the weights.
        vocabulary: The vocabulary of a word-level model if it is not in the folder of the weights.
        sha256: Checksum that the file at `source` must have, here or downloaded.

    Raises:
        ModelError: There is nothing, or nothing that is known.
    """
    if is_url(source):
        path = _fetched(str(source), sha256=sha256)
        if options is None and path.suffix.lower() in ENDINGS:
            options = _options_address(str(source))
    else:
        path = located(source)
        if sha256 is not None:
            _check_sum(path, sha256)
    options = _fetched(str(options)) if options is not None and is_url(options) else options
    given = Given(None if options is None else Path(options), None if vocabulary is None else Path(vocabulary))
    if not path.exists() and _HUB_ID.fullmatch(str(source)):
        path = _from_hub(str(source))
    if not path.exists():
        raise _nothing_at(source)
    refuse_part(path)
    if path.is_dir():
        yield _in_folder(path, given)
    elif path.suffix.lower() == ".zip":
        with TemporaryDirectory(prefix="elmokit-") as temporary:
            folder = Path(temporary) / "model"
            unpack(path, folder)
            yield _in_folder(folder, given, called=path)
    elif (found := _detected(path, given)) is not None:
        yield found
    else:
        *most, last = (".zip", *(ending for each in FORMATS for ending in each.files))
        raise ModelError(f"{path} is no model: expected a folder, a {', '.join(most)} or {last} file")


def refuse_nothing(source: str | Path) -> None:
    """Raise ModelError where no model can be: no such path, no address and no hub repository's id."""
    if not (is_address(source) or _HUB_ID.fullmatch(str(source)) or located(source).exists()):
        raise _nothing_at(source)


def _nothing_at(source: str | Path) -> ModelError:
    alike = get_close_matches(str(source), shipped_models(), n=1)
    meant = f" (did you mean {alike[0]}?)" if alike else ""
    return ModelError(
        f"There is no model folder {source}{meant}; expected a folder with config.json and model.safetensors, "
        "a .hdf5 or .zip file, an http(s) address, a hub id or a model that comes with the package (elmo models)"
    )


def _fetched(address: str, *, sha256: str | None = None) -> Path:
    from elmokit.interop.download import fetch

    return fetch(address, sha256=sha256)


def _check_sum(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise ModelError(f"a SHA-256 sum was given for {path}, which is no file: it cannot be checked")
    from elmokit.interop.download import sha256_of

    found = sha256_of(path)
    if found != sha256.lower():
        raise ModelError(f"{path} has the SHA-256 sum {found}; expected {sha256}")


def _options_address(url: str) -> str:
    """Published pairs are named alike: `…_weights.hdf5` and `…_options.json`."""
    if "weights.hdf5" not in url:
        raise ModelError(f"{url} is a weight file: give its options file too (--options)")
    return url.replace("weights.hdf5", "options.json")


def _from_hub(repository: str) -> Path:
    """A repository of the Hugging Face hub, from its cache or the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(
            f"{repository} is not a local folder and could not be downloaded from the hub: {reason}"
        ) from error


def _in_folder(folder: Path, given: Given, *, called: Path | None = None) -> Found:
    name = called or folder
    models = [(place, found) for place in _folders(folder) if (found := _detected(place, given)) is not None]
    if models and (models[0][0] == folder or len(models) == 1):
        return models[0][1]
    if models:
        names = ", ".join(str(place.relative_to(folder)) for place, _ in models[:4])
        raise ModelError(f"{name} is no model, but {len(models)} folders in it are ({names}): give the one you mean")
    endings = {ending for each in FORMATS for ending in each.endings}
    weights = [file for place in _folders(folder) for file in sorted(place.iterdir()) if file.suffix.lower() in endings]
    weights = [file for file in weights if file.is_file() and _ours(file)]
    if not weights:
        inside = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
        expected = ", or ".join(each.expected for each in FORMATS if each.expected)
        raise ModelError(f"{name} is no model: expected {expected}; it holds {inside}")
    likely = [file for file in weights if "weight" in file.stem or file.stem == "model"] or weights
    if len(likely) > 1:
        names = ", ".join(str(file.relative_to(folder)) for file in likely[:4])
        raise ModelError(f"{name} holds {len(likely)} weight files ({names}): give the one you mean, and --options")
    found = _detected(likely[0], given)
    assert found is not None  # it has an ending of a format
    return found


def _detected(path: Path, given: Given) -> Found | None:
    return next((found for each in FORMATS if (found := each.detect(path, given)) is not None), None)


def _folders(folder: Path) -> Iterator[Path]:
    """The folder, then those in it, the nearer first."""
    level = [folder]
    for _ in range(_DEPTH):
        yield from level
        level = [path for place in level for path in sorted(place.iterdir()) if path.is_dir() and _ours(path)]


def _ours(path: Path) -> bool:
    """Not what macOS puts into zips next to every file."""
    return path.name != "__MACOSX" and not path.name.startswith(".")
