"""Which encoding a rows file has: what is named, else what its byte order mark says, else UTF-8; never a guess."""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import TextIO

from fanwise.errors import UsageError
from fanwise.paths import typed

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_STRANGE = re.compile("[\udc80-\udcff]")
"""What stands in a text for bytes that the encoding does not have."""
_HEAD, _MOST_NULS = 4_096, 0.15
"""Bytes of a file that are looked at, and the share of NULs which no text in another encoding has."""
OTHER_ENCODING = "where the file is in another encoding, name it, such as --encoding cp1252"


def check_encoding(name: str) -> None:
    """Refuse what is no encoding of text."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # as a file is opened, which codecs of bytes refuse
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is no encoding; write it like utf-8, utf-16, cp1252 or latin-1") from None


def encoding_of(path: Path, chosen: str | None) -> str:
    """Return the encoding of a file; UTF-8 is `utf-8-sig`, with a byte order mark or without one.

    Args:
        path: The file.
        chosen: Its encoding where the user names it.
    """
    if chosen is not None and (name := codecs.lookup(chosen).name) != "utf-8":
        return name
    with path.open("rb") as file:
        head = file.read(4)
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8-sig")


def looks_like_utf16(path: Path) -> str:
    """Return which UTF-16 a file without a byte order mark seems to be in, by where its NULs are; empty: in none.

    Texts have no NUL, and most of what stands in rows is ASCII, of which every second byte of UTF-16 is one.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for name, of_nuls in (("utf-16-le", 1), ("utf-16-be", 0)):
        nuls, others = head[of_nuls::2].count(0), head[1 - of_nuls :: 2].count(0)
        if 0 in head[:2] and not others and nuls > _MOST_NULS * len(head):
            return name
    return ""


def opened(path: Path, chosen: str | None, newline: str | None = None) -> TextIO:
    """Open a file of text; bytes that its encoding does not have are kept as what `has_strange_bytes` finds.

    Args:
        path: The file.
        chosen: Its encoding where the user names it.
        newline: Of `open`.
    """
    encoding = encoding_of(path, chosen)
    errors = "surrogateescape" if encoding == "utf-8-sig" else _ERRORS
    return path.open(encoding=encoding, errors=errors, newline=newline)


def has_strange_bytes(text: str) -> bool:
    """Return whether there were bytes in it that are not of its encoding."""
    return not text.isascii() and _STRANGE.search(text) is not None


def printable_bytes(text: str) -> str:
    """Return a text with such bytes written out in hexadecimal."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def strange(file: Path, chosen: str | None) -> str:
    """Return what is wrong with a record that has such bytes."""
    encoding = encoding_of(file, chosen)
    return f"not {'UTF-8' if encoding == 'utf-8-sig' else encoding}; {OTHER_ENCODING}"


def cannot_be_decoded(path: Path, chosen: str | None, error: UnicodeError) -> UsageError:
    """Return what is said where a file cannot be read on in its encoding."""
    return UsageError(
        f"the rows file {typed(path)} cannot be read as {encoding_of(path, chosen)}: {error}; {OTHER_ENCODING}"
    )


def _marked(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for bytes that an encoding does not have, and where it goes on."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", max(error.end, error.start + 1)


_ERRORS = "fanwise-rows"
codecs.register_error(_ERRORS, _marked)
