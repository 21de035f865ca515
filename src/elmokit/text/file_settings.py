"""The settings of every command that reads text files."""

from __future__ import annotations

from pydantic import Field

from elmokit.settings import Settings
from elmokit.text.records import FileOptions


class FileSettings(Settings):
    """How the files are written, where that does not show in them (docs/files.md)"""

    header: bool | None = Field(
        default=None, description="the first row of a table has the names of its columns", examples=[True]
    )
    delimiter: str | None = Field(
        default=None, description="character between the columns of a table, or tab", examples=[";"]
    )
    quote: str | None = Field(
        default=None, description=r'how a table is quoted: ", \ (" with \" inside), or none', examples=["none"]
    )
    encoding: str | None = Field(
        default=None, description="of text files, e.g. utf-16; default: UTF-8", examples=["cp1252"]
    )

    @property
    def file_options(self) -> FileOptions:
        """The same for the readers."""
        return FileOptions(self.header, self.delimiter, self.quote, self.encoding)


class TextSettings(FileSettings):
    """How texts without labels are read"""

    split_sentences: bool = Field(default=False, description="cut every raw text into its sentences")

    @property
    def file_options(self) -> FileOptions:
        """The same for the readers."""
        return FileOptions(self.header, self.delimiter, self.quote, self.encoding, self.split_sentences)
