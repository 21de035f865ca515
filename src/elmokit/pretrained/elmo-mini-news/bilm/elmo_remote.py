"""The classes of this model are those of elmokit."""

try:
    from elmokit.models import *  # noqa: F403
except ImportError as error:
    raise ImportError(f"this model needs elmokit ({error}): pip install 'elmokit[train]'") from error
