"""The bytes of attached files as they come in with an import."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from ...config import paths
from ...missions.errors import InvalidValue
from ...missions.records import record
from .attachments import SIZE_MAX


@record
class ImportedContent:
    """Some bytes of an attached file, in the order in which they stand in it."""

    sha256: str
    base64: str


class Contents:
    """Writes the bytes of attached files to their places; one that is not what its hash says is refused."""

    def __init__(self) -> None:
        self._sha256 = ""
        self._place = ""
        self._digest = hashlib.sha256()
        self._size = 0
        self._draft: Path | None = None

    def take(self, content: ImportedContent, place: str) -> None:
        """Write the next bytes, of the same file or of the following one."""
        if content.sha256 != self._sha256:
            self.finish()
            with NamedTemporaryFile(dir=paths.attachments_dir(), delete=False) as made:
                self._draft = Path(made.name)
            self._sha256, self._digest, self._size = content.sha256, hashlib.sha256(), 0
        self._place = place
        try:
            data = base64.b64decode(content.base64, validate=True)
        except ValueError as error:
            raise InvalidValue(place, f"{place}: its bytes are not base64", why=str(error)) from error
        self._size += len(data)
        if self._size > SIZE_MAX:
            raise InvalidValue(place, f"{place}: the file is larger than {SIZE_MAX >> 20} MB")
        self._digest.update(data)
        assert self._draft is not None
        with self._draft.open("ab") as file:
            file.write(data)

    def finish(self) -> None:
        """Put the file that was written into its place."""
        if self._draft is None:
            return
        if self._digest.hexdigest() != self._sha256:
            raise InvalidValue(self._place, f"{self._place}: the bytes are not those of the file with this SHA-256")
        with self._draft.open("rb") as file:
            os.fsync(file.fileno())
        target = paths.attachments_dir() / self._sha256[:2] / self._sha256
        target.parent.mkdir(mode=0o700, exist_ok=True)
        self._draft.replace(target)
        self._draft = None

    def close(self) -> None:
        """Leave nothing half-written behind."""
        if self._draft is not None:
            self._draft.unlink(missing_ok=True)
            self._draft = None
