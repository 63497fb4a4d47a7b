"""Blocks and documents: the named pieces of context that an agent can be shown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import FrameType

from fanwise.canonical import digest
from fanwise.errors import UsageError
from fanwise.media import MOST_BYTES, Media, media_type, read_regular

_PACKAGE = str(Path(__file__).parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A named piece of context: the same name and text give the same bytes everywhere.

    As an annotation, `Annotated[str, Block]` marks a field as a block of the row: a long text
    that several agents may be shown, sent in front of their instructions.
    """

    name: str = field(kw_only=False)
    """What the model sees as the block's title."""
    text: str = field(kw_only=False)
    """The content, sent as it is; empty where it is an image or a PDF."""
    place: str = field(default="", compare=False, repr=False)
    """Where it was made, `file:line`; for messages alone."""
    media: Media | None = None
    """An image or a PDF in the place of a text."""
    sha: str = field(init=False, repr=False)
    """SHA-256 of name and content, hexadecimal."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", digest(f"{self.name}\0{self.text if self.media is None else self.media.sha}"))
        if not self.place:
            frame = _caller()
            place = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
            object.__setattr__(self, "place", place)

    @classmethod
    def load(cls, path: str | Path, name: str | None = None) -> Block:
        """Read a file as one block: an image, a PDF, or text.

        Args:
            path: A file name; a relative one is looked up beside the file of the caller, then
                in each folder above it, and does not lead out of the folder in which it is found.
            name: The block's name; the file's by default.

        Raises:
            UsageError: There is no such file, it lies elsewhere, or it is none of these.
        """
        file = find_beside_caller(path)
        try:
            data = read_regular(file, MOST_BYTES)
            if media_type(data):
                return cls(name or file.name, "", place=str(file), media=Media(data))
            return cls(name or file.name, data.decode("utf-8-sig"), place=str(file))
        except UnicodeDecodeError:
            raise UsageError(f"{file} is neither an image, a PDF, nor text in UTF-8") from None
        except ValueError as error:
            raise UsageError(f"{file} {error}") from None
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown document whose sections are blocks, in the order of the file.

    A section starts at a heading of level 1 to 3 and is named after it in lower case with
    hyphens: `HANDBOOK["refund-rules"]`. Text before the first heading is the section `preface`.
    """

    name: str
    sections: tuple[Block, ...]

    @classmethod
    def load(cls, path: str | Path) -> Document:
        """Read a Markdown file.

        Args:
            path: A file name; a relative one is looked up beside the file of the caller, then
                in each folder above it, and does not lead out of the folder in which it is found.

        Raises:
            UsageError: There is no such file, it lies elsewhere, it is not UTF-8, or two sections have one name.
        """
        file = find_beside_caller(path)
        try:
            text = read_regular(file, MOST_BYTES).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UsageError(f"{file} is not UTF-8 at byte {error.start}; save it as UTF-8") from None
        except ValueError as error:
            raise UsageError(f"{file} {error}") from None
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from None
        return cls.parse(file.stem, text, place=str(file))

    @classmethod
    def parse(cls, name: str, text: str, *, place: str = "") -> Document:
        """Cut Markdown text into sections.

        Args:
            name: First part of every section's name.
            text: The Markdown.
            place: The file it comes from, for messages.

        Raises:
            UsageError: Two sections have the same name, or the text is empty.
        """
        sections: list[Block] = []
        for title, body, line in _cut(text):
            if any(block.name == f"{name}/{title}" for block in sections):
                raise UsageError(f"document {name!r} has two sections named {title!r}; rename one heading")
            sections.append(Block(f"{name}/{title}", body, place=f"{place}:{line}" if place else ""))
        if not sections:
            raise UsageError(f"document {name!r} is empty")
        return cls(name, tuple(sections))

    def __getitem__(self, section: str) -> Block:
        names = [block.name.split("/", 1)[1] for block in self.sections]
        if section not in names:
            near = get_close_matches(section, names, 1)
            raise UsageError(
                f"document {self.name!r} has no section {section!r}; "
                + (f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names)}")
            )
        return self.sections[names.index(section)]

    def __iter__(self) -> Iterator[Block]:
        return iter(self.sections)


def _cut(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield title, text and first line of every section."""
    title, lines, fenced, start = "preface", list[str](), False, 1
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        heading = None if fenced else re.match(r"#{1,3}\s+(.+?)\s*#*$", line)
        if heading:
            if "".join(lines).strip():
                yield title, "\n".join(lines).strip(), start
            title, lines, start = re.sub(r"[^\w]+", "-", heading[1].lower()).strip("-"), [], number
        lines.append(line)
    if "".join(lines).strip():
        yield title, "\n".join(lines).strip(), start


def _caller() -> FrameType | None:
    """Return the frame of the first caller outside of fanwise."""
    frame = inspect.currentframe()
    while frame is not None and (
        frame.f_code.co_filename.startswith(_PACKAGE) or frame.f_code.co_filename.startswith("<")
    ):
        frame = frame.f_back
    return frame


def find_beside_caller(path: str | Path) -> Path:
    """Return the file that `path` names, seen from the first caller outside of fanwise.

    An absolute path is taken at its word. A relative one stays inside of the folder from which it is seen.

    Raises:
        UsageError: No folder from the caller's upwards holds it, or it leads out of that folder.
    """
    if Path(path).is_absolute():
        if Path(path).is_file():
            return Path(path)
        raise UsageError(f"there is no file {str(path)!r}")
    start = _folder_of_caller()
    for folder in (start, *start.parents, Path.cwd()):
        if (folder / path).is_file():
            return inside(folder, path)
    raise UsageError(f"there is no file {str(path)!r} in {start} or a folder above it")


def find_folder_beside_caller(path: str | Path) -> tuple[Path, Path]:
    """Return the folder that `path` names, seen from the first caller outside of fanwise, and what its files stay in.

    That is the folder itself where it is named by its absolute path, else the one from which it is seen.

    Raises:
        UsageError: No folder from the caller's upwards holds it, or it leads out of that folder.
    """
    if Path(path).is_absolute():
        if Path(path).is_dir():
            return Path(path), Path(path)
        raise UsageError(f"there is no folder {str(path)!r}")
    start = _folder_of_caller()
    for folder in (start, *start.parents, Path.cwd()):
        if (folder / path).is_dir():
            return inside(folder, path), folder
    raise UsageError(f"there is no folder {str(path)!r} in {start} or a folder above it")


def _folder_of_caller() -> Path:
    """Return the folder of the first caller outside of fanwise; the current one where its code is in no file."""
    frame = _caller()
    return Path(frame.f_code.co_filename).resolve().parent if frame is not None else Path.cwd()


def inside(folder: Path, path: str | Path) -> Path:
    """Return a path in a folder.

    Raises:
        UsageError: It leads out of the folder, by `..` or by a link.
    """
    file = (folder / path).resolve()
    if file.is_relative_to(folder.resolve()):
        return folder / path
    way = "`..`" if ".." in Path(path).parts else "a link"
    raise UsageError(
        f"{str(path)!r} leads out of {folder} by {way}, to {file}: what a model is shown is read from there only where "
        "that is named by its absolute path; files in folders above are found without `..`"
    )
