"""Errors a user can mend. The command line prints them on one line and exits with code 2."""


class ElmokitError(Exception):
    """Base of all errors that say what came, what was expected and what mends it."""


class DataError(ElmokitError):
    """The input data cannot be used as it is (missing, empty, wrong columns, binary)."""


class ConfigError(ElmokitError):
    """A setting is unknown, of the wrong type or contradicts another."""


class ModelError(ElmokitError):
    """A model folder or checkpoint is missing, damaged or of another shape."""
