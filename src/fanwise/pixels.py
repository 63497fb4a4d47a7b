"""Width and height of an image, read from its head; what cannot be read is not known."""

from __future__ import annotations

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG behind which its size stands."""


def pixels(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, a GIF or a JPEG in pixels; None where they cannot be read, or are none.

    Args:
        data: The file, or its head.
    """
    size = None
    if data.startswith(b"\x89PNG"):
        size = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    elif data.startswith(b"GIF8"):
        size = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    elif data.startswith(b"\xff\xd8"):
        size = _of_jpeg(data)
    return size if size is not None and min(size) > 0 else None


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    """Return what the first frame says, behind the segments in front of it."""
    place = 2
    while data[place : place + 1] == b"\xff":
        marker, length = data[place + 1 : place + 2], int.from_bytes(data[place + 2 : place + 4])
        if marker and marker[0] in _FRAMES:
            return int.from_bytes(data[place + 7 : place + 9]), int.from_bytes(data[place + 5 : place + 7])
        place += 2 + length
    return None
