"""Images and PDFs: read by content, sent as the API's own blocks, journalled by hash.

Kinds and limits: pages "Vision" and "PDF support" of platform.claude.com, read 2026-11-23.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import os
import re
import stat
from pathlib import Path
from typing import Any

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fanwise.jsonable import as_object
from fanwise.pixels import pixels

SHOWN_FIELDS = {"media_type", "sha256"}
"""Of what stands for a file in keys, values and journals, see `Media.shown`."""
MOST_BYTES = 20_000_000
"""A request may have 32 MB, and base64 makes a third more."""
IMAGE_TOKENS, IMAGE_BOUND = 1_600, 5_000
"""Tokens of an image whose size cannot be read, about, and more than the largest that the API scales down to."""
PIXELS_PER_TOKEN, LONGEST_EDGE = 750, 1_568
"""Pixels of a token, and of the longer edge to which a larger image is scaled down ("Vision")."""
PAGE_TOKENS, PAGE_BOUND = 2_000, 5_000
MOST_PAGES = 100
"""Pages that a PDF is taken to have at most where they cannot be counted."""
_PDF = "application/pdf"
_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF", _PDF),
)


def media_type(data: bytes) -> str:
    """Return the type of a file by its first bytes, empty where it is neither an image nor a PDF."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a file, which is no pipe, device or folder that one would wait for without end.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        ValueError: It is no regular file, or too large.
        OSError: It cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    status = os.fstat(handle)
    if stat.S_ISDIR(status.st_mode):
        os.close(handle)  # `fdopen` would leave it open, and name its number for the file
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is no regular file")
        if status.st_size > most:
            raise ValueError(f"has {status.st_size:,} bytes, {most:,} are the most")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"has more than {most:,} bytes")
    return content


class Media:
    """An image (PNG, JPEG, GIF, WebP) or a PDF.

    As the type of a row's field its value in the rows file is a path, seen from the folder of that
    file and inside of it. It travels as a block of the row, in front of the instructions.
    """

    __slots__ = ("data", "media_type", "sha")

    def __init__(self, data: bytes) -> None:
        """Take the content of a file.

        Raises:
            ValueError: It is neither an image nor a PDF, or too large.
        """
        self.media_type = media_type(data)
        if not self.media_type:
            raise ValueError("is neither a PNG, JPEG, GIF or WebP image nor a PDF")
        if len(data) > MOST_BYTES:
            raise ValueError(f"has {len(data):,} bytes, {MOST_BYTES:,} are the most")
        self.data = data
        """The file."""
        self.sha = hashlib.sha256(data).hexdigest()

    @classmethod
    def load(cls, path: str | Path) -> Media:
        """Read a file.

        Raises:
            ValueError: It is no image or PDF, or too large.
            OSError: It cannot be read.
        """
        return cls(read_regular(Path(path), MOST_BYTES))

    def __eq__(self, value: object) -> bool:
        return isinstance(value, Media) and value.sha == self.sha

    def __hash__(self) -> int:
        return hash(self.sha)

    def __repr__(self) -> str:
        return f"<{self.media_type} {self.sha[:12]}, {len(self.data):,} bytes>"

    @property
    def is_image(self) -> bool:
        """Whether it is an image, and no PDF: with and without any, messages are cached apart ("Prompt caching")."""
        return self.media_type != _PDF

    @property
    def pages(self) -> int:
        """Pages of a PDF as far as they can be seen; 0 for an image, or where they are compressed."""
        if self.is_image:
            return 0
        return len(re.findall(rb"/Type\s*/Page[^s]", self.data + b" "))

    @property
    def tokens(self) -> int:
        """About how many tokens it has; no page gives a formula that holds for every model."""
        if not self.is_image:
            return max(self.pages, 1) * PAGE_TOKENS
        size = pixels(self.data)
        if size is None:
            return IMAGE_TOKENS
        width, height = size
        scale = min(1.0, LONGEST_EDGE / max(width, height))
        return max(round(width * scale * height * scale / PIXELS_PER_TOKEN), 1)

    @property
    def bound(self) -> int:
        """More tokens than it can have."""
        return IMAGE_BOUND if self.is_image else (self.pages or MOST_PAGES) * PAGE_BOUND

    def source(self) -> dict[str, Any]:
        """Return it as the API's content block."""
        kind = "image" if self.is_image else "document"
        data = base64.b64encode(self.data).decode("ascii")
        return {"type": kind, "source": {"type": "base64", "media_type": self.media_type, "data": data}}

    def shown(self) -> dict[str, str]:
        """Return what stands for it in keys, values and journals: its type and its hash."""
        return {"media_type": self.media_type, "sha256": self.sha}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validate, serialization=core_schema.plain_serializer_function_ser_schema(cls.shown)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string", "description": "path of an image or a PDF"}


def _validate(value: Any, info: core_schema.ValidationInfo[Any]) -> Media:
    if isinstance(value, Media):
        return value
    try:
        if "data" in as_object(value):
            return Media(base64.b64decode(str(as_object(value)["data"]), validate=True))
        if isinstance(value, str):
            return Media.load(_inside(value, as_object(info.context).get("folder")))
    except (ValueError, OSError, binascii.Error) as error:
        words = f"{error.strerror}: {value!r}" if isinstance(error, OSError) else str(error)
        raise PydanticCustomError("media", "{words}", {"words": words}) from None
    raise PydanticCustomError("media", "is no path of an image or a PDF")


def _inside(path: str, folder: Path | None) -> Path:
    """Return a path of a rows file; a row may not name files outside of the file's own folder."""
    base = (folder or Path.cwd()).resolve()
    file = (base / path).resolve()
    if not file.is_relative_to(base):
        raise ValueError(f"{path!r} lies outside of the folder of the rows file")
    return file
