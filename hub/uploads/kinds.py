"""Which kinds of files are taken, and whether a file is what it says."""

from __future__ import annotations

import re
from typing import Final

from ...missions.errors import InvalidValue

SIZE_MAX: Final = 100 * 1024 * 1024
_NAME_BYTES: Final = 255
_MIME: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,126}", re.ASCII)
_GROUPS: Final = frozenset({"image", "text", "audio", "video", "font"})
_APPLICATIONS: Final = re.compile(
    r"application/(json|pdf|xml|yaml|toml|zip|gzip|zstd|x-tar|x-7z-compressed|x-bzip2|x-xz|octet-stream|sql|wasm|rtf"
    r"|x-ndjson|msword|javascript|x-sh|x-python|x-diff|x-patch|vnd\.[a-z0-9.+-]+)",
    re.ASCII,
)
_MAGIC: Final[dict[str, tuple[bytes, ...]]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/bmp": (b"BM",),
    "application/pdf": (b"%PDF-",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "application/gzip": (b"\x1f\x8b",),
    "application/x-xz": (b"\xfd7zXZ\x00",),
    "application/zstd": (b"\x28\xb5\x2f\xfd",),
}
_PROGRAMS: Final = (b"\x7fELF", b"MZ")


def check_name(name: object) -> str:
    """1 to 255 bytes, printable, no folder in it; InvalidValue."""
    if not isinstance(name, str) or not name.strip() or len(name.encode("utf-8", "replace")) > _NAME_BYTES:
        raise InvalidValue("name", f"A file name has 1 to {_NAME_BYTES} bytes")
    if not name.isprintable() or "/" in name or "\\" in name or name.strip(". ") == "":
        raise InvalidValue(
            "name", f"{name[:80]!r} is not a valid file name", todo="leave out folders and control characters"
        )
    return name


def check_mime(mime: object) -> str:
    """One of the kinds that are taken; InvalidValue."""
    if not isinstance(mime, str) or not _MIME.fullmatch(mime):
        raise InvalidValue("mime", "A MIME type has the form image/png")
    if mime.split("/")[0] not in _GROUPS and not _APPLICATIONS.fullmatch(mime):
        raise InvalidValue("mime", f"Files of type {mime} are not accepted", todo="put it into a zip archive")
    return mime


def check_size(size: object, largest: int) -> int:
    """InvalidValue when it is not a size or too large."""
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= largest:
        raise InvalidValue("size", f"A file has 1 to {largest} bytes")
    return size


def contradiction(mime: str, beginning: bytes) -> str:
    """Why the first bytes cannot be of that kind; empty when they can."""
    expected = _MAGIC.get(mime)
    if expected and not beginning.startswith(expected):
        return f"the content is not {mime}"
    if mime == "image/webp" and not (beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP"):
        return "the content is not image/webp"
    if mime.startswith(("text/", "image/", "audio/", "video/", "font/")) and beginning.startswith(_PROGRAMS):
        return f"the content is a program, not {mime}"
    if mime.startswith("text/") and b"\0" in beginning and not beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "the content is binary, not text"
    return ""
