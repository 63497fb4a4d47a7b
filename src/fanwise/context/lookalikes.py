"""What a model may take for a tag: in any case, with what is not seen inside of it, of characters that look alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from unicodedata import normalize

LESS = "<\u2039\uff1c\ufe64\u2329\u3008\u27e8\u02c2\u276e\u1438"
"""What begins a tag, or looks as if it did."""
SLASHES = "/\\\uff0f\uff3c\u2044\u2215\u29f8\u2571"
"""What makes a tag a closing one, or looks as if it did."""
_UNSEEN = (
    "\\x00-\\x08\\x0e-\\x1b\\x7f-\\x84\\x86-\\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Characters that no font shows, white space apart (Unicode 16: Cc, Default_Ignorable_Code_Point, Cf without marks of
numbers; and the empty Braille pattern)."""
_SLASH = re.escape(SLASHES)
_DROPPED = re.compile(f"[{_UNSEEN}]+")
_NUMBER = re.compile(r"\s*[-\u2010-\u2015\u2212]\s*0*(\d+)")
_NUMBER_CHARS = 24
"""Characters behind a name that are looked at for a number: more than any number that is given has."""
_LETTERS = 16
"""Letters of a name by which it is looked for; where they are found all of it is compared."""


def may_close(text: str) -> bool:
    """Return whether a text may hold a closing tag at all: by far the most hold none, which is found out quickly."""
    if text.isascii():
        return "<" in text and ("/" in text or "\\" in text)
    return any(map(text.__contains__, LESS)) and any(map(text.__contains__, SLASHES))


def numbers_of(name: str, text: str, *, is_closing: bool = True) -> Iterator[str]:
    """Yield the number of each tag of a name that a text seems to hold: digits without zeros in front, or empty.

    Args:
        name: Of the tag.
        text: Where it is looked for.
        is_closing: Whether closing tags are looked for; else opening ones.
    """
    folded, begins = _name(name, is_closing, "<" if text.isascii() else LESS)
    for found in begins.finditer(text):
        behind = _folded_start(text, found.end(), len(folded) + _NUMBER_CHARS)
        if not behind.startswith(folded):
            continue
        rest = behind[len(folded) :]
        number = _NUMBER.match(rest)
        if number is not None:
            yield number[1]
        elif re.match(r"\w", rest) is None:  # else it is the tag of a longer name
            yield ""


@lru_cache(maxsize=1024)
def _name(name: str, is_closing: bool, less: str) -> tuple[str, re.Pattern[str]]:
    """Return a name as it is compared, and what finds where it may begin in a text, without comparing it there."""
    folded = _folded(name)
    slashes = f"[{_SLASH}][{_SLASH}\\s{_UNSEEN}]*" if is_closing else ""
    return folded, re.compile(f"[{less}][\\s{_UNSEEN}]*{slashes}(?={_may_be(folded[:_LETTERS])})")


def _may_be(folded: str) -> str:
    """Return an expression for what may be some letters: in ASCII these in any case, else anything."""
    pattern = ""
    for letter in reversed(folded):
        same = f"[{re.escape(letter + letter.upper())}][\\x00-\\x1f\\x7f]*" if letter.isascii() else "(?!)"
        pattern = f"(?:{same}{pattern}|[^\\x00-\\x7f])"
    return pattern


def _folded_start(text: str, begin: int, length: int) -> str:
    """Return what stands in a text from a place on, as it is compared: at least so many characters if there are."""
    size = 2 * length
    while len(folded := _folded(text[begin : begin + size])) < length and begin + size < len(text):
        size *= 2
    return folded


def _folded(text: str) -> str:
    if text.isascii():
        return _DROPPED.sub("", text.lower())
    return _DROPPED.sub("", normalize("NFKD", normalize("NFKD", text).casefold()))
