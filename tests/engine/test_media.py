"""Images and PDFs as blocks of the context and of the row: sent as the API's own blocks, journalled by hash."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from pydantic import BaseModel

from fanwise import Block, DefinitionError, Job, Media, UsageError, agent, each, graph, step, tool
from fanwise.engine.arms import build_arms
from fanwise.engine.records import Record
from fanwise.engine.rows import Row, RowTypes
from fanwise.job.account import Account
from fanwise.studies.show import rendered
from support import png, read_only

PDF = b"%PDF-1.4\n1 0 obj << /Type /Page >> endobj\n2 0 obj << /Type /Page >> endobj\n%%EOF"
LOGO = Block("logo", "", media=Media(png(1_200, 900)))


class Form(BaseModel):
    id: str
    note: str
    scan: Annotated[Media, Block]


@agent(model="claude-haiku-5-5", context=[LOGO], max_tokens=100)
def read(scan: Media, note: str) -> str:
    """Read the form."""
    return f"{scan.media_type} of {len(scan.data)} bytes, {note}"


@agent(model="claude-haiku-5-5", context=[LOGO], max_tokens=100)
def check(scan: Media) -> bool:
    """Check the form."""
    return scan.media_type == "image/png"


@agent(model="claude-haiku-5-5", max_tokens=100)
def join(text: str, good: bool) -> str:
    """Join both."""
    return f"{text}, {good}"


@graph
def forms(form: Form) -> str:
    return join(read(form.scan, form.note), check(form.scan))


def rows(folder: Path) -> Path:
    (folder / "scans").mkdir()
    for number in range(6):
        (folder / "scans" / f"{number}.png").write_bytes(png(900, 800, number))
    (folder / "scans" / "6.pdf").write_bytes(PDF)
    (folder / "scans" / "7.png").write_text("no image")
    names = [
        *(f"scans/{number}.png" for number in range(6)),
        "scans/6.pdf",
        "scans/7.png",
        "../outside.png",
        "gone.png",
    ]
    (folder.parent / "outside.png").write_bytes(png(9, 9))
    lines = [json.dumps({"id": f"r{index}", "note": "n", "scan": name}) for index, name in enumerate(names)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "rows.jsonl"


def carried_out(tmp_path: Path, **options: Any) -> Account:
    folder = tmp_path / "job"
    folder.mkdir()
    return Job(forms, rows=rows(folder), out=tmp_path / "run", **options).run_sync()


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_files_of_the_row_go_the_whole_way(tmp_path: Path, channel: str) -> None:
    account = carried_out(tmp_path, channel=channel, baseline="auto")
    found = {line["id"]: line["output"] for line in account.results()}
    assert found["r0"] == f"image/png of {len(png(900, 800))} bytes, n, True"
    assert found["r6"] == f"application/pdf of {len(PDF)} bytes, n, False"
    assert account.summary["rows"] == {
        "read": 10, "succeeded": 7, "partial": 0, "failed": 0, "rejected": 3, "unfinished": 0,
    }  # fmt: skip
    assert account.summary["cost_usd"] == account.summary["bill_usd"]
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "run" / "rejects.jsonl").read_text().splitlines()]
    assert reasons[0] == "scan: is neither a PNG, JPEG, GIF or WebP image nor a PDF"
    assert "lies outside of the folder of the rows file" in reasons[1]
    assert "No such file" in reasons[2]


def test_what_rows_share_is_written_once_and_a_scan_once_for_its_readers(tmp_path: Path) -> None:
    account = carried_out(tmp_path, channel="live").summary
    assert account["cache"]["writes"] == 7, "the logo with the first scan, each other scan by its first reader"
    assert account["cache"]["reads"] == 13, "all other readers"
    by_agent = {slice_["agent"]: slice_ for slice_ in account["slices"]}
    assert by_agent["read"]["blocks"] == ["logo"]
    assert account["input_over_floor"] < 1.3


def test_the_journal_holds_hashes_and_a_request_is_rendered_again(tmp_path: Path) -> None:
    carried_out(tmp_path, channel="live")
    with read_only(tmp_path / "run" / "journal.db") as db:
        assert all(len(str(value)) < 5_000 for row in db.execute("SELECT * FROM blocks") for value in row)
        assert not [row for row in db.execute("SELECT text FROM texts") if len(row[0]) > 2_000]
    shown = rendered(str(tmp_path / "run"), "r1", "read", "fanout")
    assert shown.attempts[0].is_unchanged
    kinds = [part["type"] for part in shown.body["messages"][0]["content"]]
    assert kinds == ["text", "image", "text", "image", "text", "text"], "logo, scan, instructions, values"
    marks = ["cache_control" in part for part in shown.body["messages"][0]["content"]]
    assert marks == [False, True, False, True, False, False]


def test_another_file_of_the_same_name_is_asked_again(tmp_path: Path) -> None:
    types = RowTypes(forms.spec.param_types, None, tmp_path)
    hashes: list[str] = []
    for shade in (1, 2):
        (tmp_path / "a.png").write_bytes(png(30, 30, shade))
        row = types.check(Record(1, 0, {"id": "a", "note": "", "scan": "a.png"}, ""))
        assert isinstance(row, Row)
        hashes.append(row.hash)
    assert hashes[0] != hashes[1]


def test_a_block_is_loaded_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(PDF)
    (tmp_path / "b.txt").write_text("some text")
    (tmp_path / "c.bin").write_bytes(b"\xff\xfe\x00")
    loaded = Block.load(tmp_path / "a.pdf")
    assert loaded.media is not None
    assert (loaded.name, loaded.media.media_type, loaded.media.pages) == ("a.pdf", "application/pdf", 2)
    assert Block.load(tmp_path / "b.txt", "b").text == "some text"
    with pytest.raises(UsageError, match="neither an image, a PDF, nor text"):
        Block.load(tmp_path / "c.bin")


class Album(BaseModel):
    id: str
    pages: list[Media]
    cover: Media | None = None


@agent(model="claude-haiku-5-5", max_tokens=100)
def see_all(pages: list[Media]) -> str:
    """See all pages."""
    return ", ".join(f"{page.media_type} {len(page.data)}" for page in pages)


@agent(model="claude-haiku-5-5", max_tokens=100)
def see_whole(album: Album, cover: Media | None) -> str:
    """See the album."""
    return f"{len(album.pages)} pages, {album.cover == cover}, {cover is None}"


@agent(model="claude-haiku-5-5", max_tokens=100)
def see_page(page: Media) -> str:
    """See a page."""
    return page.media_type


@graph
def albums(album: Album) -> list[str]:
    return [see_all(album.pages), see_whole(album, album.cover), see_all([album.pages[0]])]


@graph
def leafed(album: Album) -> list[str]:
    return each(album.pages, see_page)


def test_files_inside_of_lists_and_records_are_sent_as_files(tmp_path: Path) -> None:
    """They travelled as their hash in text, and the row succeeded."""
    images = [png(90, 80), png(70, 60), PDF]
    for number, data in enumerate(images):
        (tmp_path / f"{number}").write_bytes(data)
    lines = [{"id": "a", "pages": ["0", "2"], "cover": "1"}, {"id": "b", "pages": ["1"]}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for graph_ in (albums, leafed):
        out = tmp_path / graph_.name
        account = Job(graph_, rows=tmp_path / "rows.jsonl", out=out, channel="live", baseline="auto").run_sync()
        outputs = {line["id"]: line["output"] for line in account.results()}
        assert account.summary["cost_usd"] == account.summary["bill_usd"]
        if graph_ is albums:
            first = f"image/png {len(images[0])}"
            assert outputs["a"] == [f"{first}, application/pdf {len(PDF)}", "2 pages, True, False", first]
            assert outputs["b"][1] == "1 pages, True, True"
        else:
            assert outputs == {"a": ["image/png", "application/pdf"], "b": ["image/png"]}
    for agent_, kinds in (("see_all", ["image", "document"]), ("see_whole", ["image", "image", "document", "image"])):
        shown = rendered(str(tmp_path / "albums"), "a", agent_, "fanout")
        assert shown.attempts[0].is_unchanged
        content = shown.body["messages"][0]["content"]
        assert [part["type"] for part in content if part["type"] != "text"] == kinds
    whole = rendered(str(tmp_path / "leafed"), "a", "baseline", "baseline")
    types = [part["type"] for part in whole.body["messages"][0]["content"] if part["type"] != "text"]
    assert types == ["image", "document"], "the single agent sees the pages too"


def test_a_file_is_no_output_of_a_step_and_no_value_of_a_tool() -> None:
    with pytest.raises(DefinitionError, match="step 'crop' returns list"):

        @step
        def crop(pages: list[Media]) -> list[Media]:
            return pages[:1]

    with pytest.raises(DefinitionError) as caught:

        @tool
        def turn(page: Media) -> Album:
            """Turn the page."""
            raise NotImplementedError

    assert len(caught.value.mistakes) == 2


async def _cell(rows_file: Path, out: Path) -> None:
    Job(leafed, rows=rows_file, out=out).run_sync()


def test_a_job_in_a_notebook_is_awaited(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"write `await job\.run\(\)` there"):
        anyio.run(_cell, rows(tmp_path), tmp_path / "out")


def test_a_file_is_no_answer() -> None:
    with pytest.raises(DefinitionError, match="Media"):

        @agent(model="claude-haiku-5-5")
        def draw(text: str) -> Media:
            """Draw it."""


def test_layouts_with_files_are_made_without_any_in_system() -> None:
    agents = {node.spec.name: node for node in build_arms({"fanout": forms.spec})["fanout"].agents()}
    for name in ("read", "check"):
        shape = agents[name].shape
        assert shape.media == (LOGO,)
        assert not [block for bundle in shape.bundles for block in bundle]


@pytest.mark.parametrize("path", ["m/d.png", "", "none.png"])
def test_a_path_that_is_no_file_is_named_as_the_row_has_it(tmp_path: Path, path: str) -> None:
    """Of a folder the reason had the number of a file descriptor, of others a path of this machine."""
    (tmp_path / "m" / "d.png").mkdir(parents=True)
    record = Record(number=1, locator=0, data={"scan": path}, raw="")
    said = RowTypes({"scan": Media}, None, tmp_path).check(record)
    assert isinstance(said, str) and said.endswith(f": {path!r}") and str(tmp_path) not in said


def jpeg(width: int, height: int) -> bytes:
    """The head of one, its size behind another segment."""
    comment, size = b"\xff\xfe\x00\x06hold", struct.pack(">HBHH", 8, 8, height, width)
    return b"\xff\xd8" + comment + b"\xff\xc2" + size + b"\xff\xd9"


@pytest.mark.parametrize(
    ("data", "tokens"),
    [
        (png(1, 1), 1),
        (png(1_200, 900), 1_440),
        (png(3_136, 1_568), 1_639),  # as 1,568 by 784
        (b"GIF89a" + struct.pack("<HH", 750, 20), 20),
        (jpeg(750, 300), 300),
        (jpeg(750, 300)[:9], 1_600),
        (png(0, 9), 1_600),
        (b"RIFF\0\0\0\0WEBPVP8 ", 1_600),
        (PDF, 4_000),
    ],
)
def test_an_image_has_as_many_tokens_as_its_size_says(data: bytes, tokens: int) -> None:
    assert Media(data).tokens == tokens
