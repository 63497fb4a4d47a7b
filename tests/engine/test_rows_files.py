"""What is in a rows file becomes rows, or is said: in every format, encoding and form that people have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.engine.encodings import check_encoding
from fanwise.engine.records import Record, RowsFile
from fanwise.engine.rowsfile import fetch, read
from fanwise.errors import UsageError

GOOD = [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]


def read_text(folder: Path, text: str | bytes, name: str = "rows.csv", encoding: str | None = None) -> list[Record]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    file = RowsFile(path, "csv" if name.endswith(".csv") else "jsonl", encoding)
    records = list(read(file))
    again = dict(fetch(file, [record.locator for record in records]))
    assert [again[record.locator].data for record in records] == [record.data for record in records]
    return records


def told(records: list[Record]) -> list[object]:
    """The data of good records, and the number and problem of the others."""
    return [record.data if record.data is not None else (record.number, record.problem) for record in records]


@pytest.mark.parametrize(
    ("content", "name", "encoding"),
    [
        ("id;text\n1;a\n2;b\n", "rows.csv", None),
        ("id\ttext\n1\ta\n2\tb\n", "rows.csv", None),
        ("id|text\n1|a\n2|b\n", "rows.csv", None),
        ('"id";"text"\r\n1;"a"\r\n2;b\r\n', "rows.csv", None),
        (",id,text\n0,1,a\n1,2,b\n", "rows.csv", None),
        ("\ufeffid,text\n1,a\n2,b\n", "rows.csv", None),
        ("sep=;\r\nid;text\r\n1;a\r\n2;b\r\n", "rows.csv", None),
        ('"sep=,"\nid,text\n1,a\n2,b\n'.encode("utf-16"), "rows.csv", None),
        ("\ufeffSEP=\t\nid\ttext\n1\ta\n2\tb\n", "rows.csv", None),
        ("sep=:\nid:text\n1:a\n2:b\n", "rows.csv", None),
        ("id,text\n1,a\n2,b\n".encode("utf-16"), "rows.csv", None),
        ("id,text\n1,a\n2,b\n".encode("utf-16-le"), "rows.csv", "utf-16-le"),
        ("\ufeffid,text\n1,a\n2,b\n".encode("utf-16-be"), "rows.csv", None),
        ('{"id": "1", "text": "a"}\n{"id": "2", "text": "b"}\n'.encode("utf-16"), "rows.jsonl", None),
        (json.dumps(GOOD), "rows.json", None),
        (json.dumps(GOOD, indent=2), "rows.json", None),
        ("\ufeff\n" + json.dumps(GOOD, indent="\t"), "rows.jsonl", None),
        # Files that were put one behind the other, each with its mark, or with nothing but that.
        ("\ufeff" + "\n\ufeff\ufeff".join(map(json.dumps, GOOD)) + "\n\ufeff\n", "rows.jsonl", None),
        (("\ufeff" + "\n\ufeff".join(map(json.dumps, GOOD))).encode("utf-16-le"), "rows.jsonl", "utf-16-le"),
        (json.dumps(GOOD, indent=2).encode("utf-16"), "rows.json", None),
        ("\n".join(json.dumps(row, indent=2) for row in GOOD), "rows.json", None),
        ("[" + ",\n".join(map(json.dumps, GOOD)) + "]\n", "rows.json", None),
    ],
)
def test_the_forms_that_rows_have_are_read(
    tmp_path: Path, content: str | bytes, name: str, encoding: str | None
) -> None:
    assert told(read_text(tmp_path, content, name, encoding)) == GOOD


def test_an_encoding_that_is_named_is_used_and_none_is_guessed(tmp_path: Path) -> None:
    content = "id,text\n1,café\n2,b\n".encode("cp1252")
    assert told(read_text(tmp_path, content, encoding="cp1252")) == [{"id": "1", "text": "café"}, GOOD[1]]
    (number, problem), good = told(read_text(tmp_path, content))  # type: ignore[misc]
    assert number == 2
    assert problem.startswith("not UTF-8")
    assert "--encoding" in problem
    assert good == GOOD[1]
    with pytest.raises(UsageError, match="--encoding"):
        read_text(tmp_path, "idé,text\n1,a\n".encode("cp1252"))


@pytest.mark.parametrize("form", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.json"])
def test_utf_16_without_a_mark_is_said_and_named(tmp_path: Path, name: str, form: str) -> None:
    """Each of its lines was "not valid JSON: Expecting value", or its header "not UTF-8"."""
    text = {"rows.csv": "id,text\n1,a\n2,b\n", "rows.json": json.dumps(GOOD, indent=1)}
    content = text.get(name, "\n".join(map(json.dumps, GOOD))).encode(form)
    with pytest.raises(UsageError, match=f"looks like UTF-16 .*--encoding {form}$"):
        read_text(tmp_path, content, name)
    assert told(read_text(tmp_path, content, name, form)) == GOOD


def test_a_line_for_excel_is_counted(tmp_path: Path) -> None:
    records = read_text(tmp_path, "sep=;\nid;text\n1;a\n2\n3;c\n")
    assert [(record.number, record.problem) for record in records] == [
        (3, ""), (4, "has 1 cells, the header has 2"), (5, "")
    ]  # fmt: skip
    with pytest.raises(UsageError, match="has no header line"):
        read_text(tmp_path, "sep=;\n")


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_a_number_of_too_many_digits_costs_its_row(tmp_path: Path, name: str) -> None:
    """In an array it was a traceback, and on a line it was said in words of Python."""
    form = '{"n": %s}\n{"n": 1}\n' if name == "rows.jsonl" else '[\n{"n": %s},\n{"n": 1}]'
    number, good = told(read_text(tmp_path, form % ("9" * 5_000), name))
    assert number == (1, "it holds a number of more than 4,300 digits; write that as text")
    assert good == {"n": 1}


@pytest.mark.parametrize("name", ["base64", "rot13", "klingon", "utf\0"])
def test_what_is_no_encoding_of_text_is_refused(name: str) -> None:
    """Codecs of bytes were taken for encodings, and ended in a traceback where the file was opened."""
    with pytest.raises(ValueError, match="is no encoding"):
        check_encoding(name)


def test_a_cell_of_csv_may_be_long(tmp_path: Path) -> None:
    line, many = "word " * 40_000, "\n".join(["Dear all, see below."] * 9_000 + ["A9,I was never a row"])
    records = read_text(tmp_path, f'id,text\n1,{line}\n2,"{many}"\n3,c\n')
    assert told(records) == [{"id": "1", "text": line}, {"id": "2", "text": many}, {"id": "3", "text": "c"}]
    assert [record.number for record in records] == [2, 3, 9004]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # An open quote in front of rows costs its own row.
        (
            'id,text\n1,"a\n2,b\n3,c\n',
            [(2, "a quote is not closed"), {"id": "2", "text": "b"}, {"id": "3", "text": "c"}],
        ),
        # So it does where a later quote ends it by mistake.
        (
            'id,text\n1,"a\n2,b\n3,"c"\n',
            [(2, "a quote is not closed"), {"id": "2", "text": "b"}, {"id": "3", "text": "c"}],
        ),
        # In front of a text it takes the text with it: none of its lines is a row.
        ('id,text\n1,"Dear all\nas, said\nsee you\nbye\n', [(2, "3 lines behind it are none")]),
        # Quotes that are not doubled belong to their cell, whose lines are no rows.
        ('id,text\n1,"he said "hi" to\nA9,no row\nus"\n2,b\n', [(2, "double a quote"), {"id": "2", "text": "b"}]),
        # Text behind a closing quote is no quote that is not closed, on whichever line it is seen.
        ('id,text\n1,"a"b\n2,5" pipe\n', [(2, "text stands behind a closing quote;"), {"id": "2", "text": '5" pipe'}]),
        ('id;text\n1;"b" x\n2;b\n', [(2, "text stands behind a closing quote; the next lines"), GOOD[1]]),
        ('id,text\n1,"b" x\nDear all\n', [(2, "text stands behind a closing quote, and 1 lines behind it are none")]),
        ('id,text\n"1" x,"a"\n2,b\n', [(2, "text stands behind a closing quote: double a quote"), GOOD[1]]),
        # Of one column: lines behind it are rows where none ends with a quote that was open.
        ('text\n"a" b\nc\nd\n', [(2, "behind a closing quote; the next lines"), {"text": "c"}, {"text": "d"}]),
        ('text\n"a" b\nc\n"d"\n', [(2, "behind a closing quote; the next lines"), {"text": "c"}, {"text": "d"}]),
        ('text\n"a" b\n"c" d\n"e"\n', [(2, "the next lines"), (3, "the next lines"), {"text": "e"}]),
        ('text\n"a" b\nc\n"d" e\nf', [(2, "next lines"), {"text": "c"}, (4, "next lines"), {"text": "f"}]),
        ('text\n"he said "hi" to\nno row\nus"\nb\n', [(2, "double a quote"), {"text": "b"}]),
        ('text\n"Dear all\nsee you\nbye\n', [(2, "2 lines behind it are none")]),
        ("id,text\n1\n2,b,c\n3,d\n", [(2, "has 1 cells"), (3, "has 3 cells"), {"id": "3", "text": "d"}]),
    ],
)
def test_what_is_broken_in_csv_costs_itself_and_makes_no_rows(
    tmp_path: Path, content: str, expected: list[object]
) -> None:
    for found, wanted in zip(told(read_text(tmp_path, content)), expected, strict=True):
        if isinstance(wanted, tuple):
            assert isinstance(found, tuple)
            assert found[0] == wanted[0]
            assert wanted[1] in found[1]
        else:
            assert found == wanted


def test_what_is_broken_in_an_array_costs_itself(tmp_path: Path) -> None:
    broken = '  7,\n  {"id": oops,\n   "more": {"id": "x"}},\n'
    text = '[\n  {"id": "1", "text": "a"},\n' + broken + '  {"id": "2", "text": "b"}\n]\n'
    first, number, second, last = told(read_text(tmp_path, text, "rows.json"))
    assert [first, last] == GOOD
    assert second == (3, "not valid JSON: Expecting value")
    assert number == (2, "not a JSON object but int")


DOUBLED = "has the key 'text' twice in one object: which value holds is not clear; keep one"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blank", [0, 300_000])
def test_what_is_broken_in_an_array_is_said_with_its_line(tmp_path: Path, end: str, blank: int) -> None:
    """Found: the number of the element was said as its line; what lies in front may be more than is read at a time."""
    text = [
        "[", *[""] * blank,
        '  {"id": "1",', '   "text": "a"},',
        '  {"id": "x",', "", '   "text": oops},',
        '  {"id": "y",', '   "text": "a",', '   "text": "b"},',
        "  7, ,", '  {"id": "2", "text": "b"},', "]",
    ]  # fmt: skip
    records = read_text(tmp_path, end.join(text), "rows.json")
    assert told(records) == [
        GOOD[0], (2, "not valid JSON: Expecting value in line " + str(blank + 6)), (3, DOUBLED),
        (4, "not a JSON object but int"), (5, "not valid JSON: nothing stands in front of a comma"), GOOD[1],
    ]  # fmt: skip
    assert [(record.line or 0) - blank for record in records] == [2, 4, 7, 10, 10, 11]


def test_what_is_not_read_behind_a_broken_element_of_one_line_is_said(tmp_path: Path) -> None:
    """Found by an array on one line without a comma in its second element: 47 rows behind it were in no word."""
    rows = [json.dumps({"id": str(number), "text": "a"}) for number in range(1, 50)]
    rows[1] = '{"id": "2" "text": "b"}'
    first, second = told(read_text(tmp_path, f"[{', '.join(rows)}]", "rows.json"))
    assert first == GOOD[0]
    assert "to the end of the file was not read" in second[1]


@pytest.mark.parametrize("lines", [['[{"id": "1", "text": "a"},'], ["[", '{"id": "1", "text": "a"}', "", ""]])
def test_an_array_that_does_not_end_is_said(tmp_path: Path, lines: list[str]) -> None:
    """Found: of a file that was cut off behind an element the rows that were lost were not said."""
    records = read_text(tmp_path, "\n".join(lines), "rows.json")
    assert told(records)[0] == GOOD[0]
    assert "the file may have been cut off" in records[1].problem
    assert records[1].line == len(lines)
    assert len(records) == 2


@pytest.mark.parametrize("content", ["[{row}]", "{row}", "[\n{row}\n]", "{row}\n{row}"])
@pytest.mark.parametrize(
    ("row", "is_doubled"),
    [
        ('{"id": "1", "text": "a", "text" : "b"}', True),
        ('{"id": "1", "more": [{"text": 1}, {"text": 2, "text": [3]}]}', True),
        ('{"text": {"text": {"text": 1}}, "id": "text\\": \\"text\\":"}', False),
        ('{"more": [{"text": 1}, {"text": 2}], "id": "\\"text\\": 1"}', False),
    ],
)
def test_a_key_that_stands_twice_in_an_object_costs_the_row_in_lines_and_in_arrays(
    tmp_path: Path, content: str, row: str, is_doubled: bool
) -> None:
    """Found: the last value was taken without a word."""
    for result in told(read_text(tmp_path, content.replace("{row}", row), "rows.json")):
        assert result == (1, DOUBLED) or result == (2, DOUBLED) if is_doubled else result == json.loads(row)


json_values = st.recursive(
    st.none() | st.integers() | st.text('a": \\{', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", 'b":', "c"]), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), json_values, max_size=4), st.sampled_from([None, 2]), st.booleans())
def test_whatever_has_each_key_once_is_a_row(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, object], indent: int | None, in_array: bool
) -> None:
    text = json.dumps([row] if in_array else row, indent=indent)
    assert told(read_text(tmp_path_factory.getbasetemp(), text, "rows.json")) == [row]


@pytest.mark.parametrize(
    ("name", "content"),
    [("rows.csv", "id,text\n"), ("rows.json", "[\n]\n"), ("rows.jsonl", "\n \n"), ("rows.jsonl", "\ufeff\n")],
)
def test_a_file_without_a_row_is_said(tmp_path: Path, name: str, content: str) -> None:
    """A run over a header alone ended well, with an account of nothing."""
    with pytest.raises(UsageError, match=f"^no rows in .*{name}$"):
        read_text(tmp_path, content, name)


def test_a_line_of_jsonl_that_was_cut_is_no_document(tmp_path: Path) -> None:
    cut, good = told(read_text(tmp_path, '{"id": "1", "text": "a\n{"id": "2", "text": "b"}\n', "rows.jsonl"))
    assert isinstance(cut, tuple)
    assert good == GOOD[1]


@pytest.mark.parametrize("header", ["a,,b", "a,a", "a;b|c", '"a,b', '"a" x,b'])
def test_a_header_that_is_not_clear_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(UsageError, match=r"header of .*rows.csv"):
        read_text(tmp_path, f"{header}\n1,2,3\n")


pieces = st.lists(
    st.sampled_from([b'"', b",", b";", b"\n", b"\r", b"{", b"}", b"[", b"]", b":", b"a", b"1", b" ", b"\xe9", b"\0"])
    | st.binary(max_size=3),
    min_size=1,
    max_size=60,
).map(b"".join)


@given(pieces.filter(bool), st.sampled_from(["rows.csv", "rows.jsonl"]), st.sampled_from([None, "utf-16", "cp1252"]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str, encoding: str | None
) -> None:
    try:
        records = read_text(tmp_path_factory.getbasetemp(), content, name, encoding)
    except UsageError:
        return
    numbers = [record.number for record in records]
    assert numbers == sorted(set(numbers))
    for record in records:
        json.dumps(record.data, allow_nan=False)
        record.raw.encode()
