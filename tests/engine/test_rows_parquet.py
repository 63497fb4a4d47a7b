"""Rows in Parquet: what one of them holds, or a page that is corrupt, costs rows and no run."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fanwise.engine.records import RowsFile
from fanwise.engine.rows import Row, RowTypes
from fanwise.engine.rowsfile import read

pyarrow: Any = importlib.import_module("pyarrow")
parquet: Any = importlib.import_module("pyarrow.parquet")


class Measure(BaseModel):
    id: int
    by_name: dict[str, int]
    size: float


def test_maps_are_dicts_and_a_value_that_cannot_be_read_costs_its_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    columns = {
        "id": pyarrow.array([1, 2, 3, 4]),
        "by_name": pyarrow.array([[("a", 1)], [], [("b", 2)], [("c", 3)]], pyarrow.map_("string", "int64")),
        "size": pyarrow.array([1.0, float("nan"), 3.0, 4.0]),
        "at": pyarrow.array([0, 0, 2**62, 0], pyarrow.timestamp("us")),
    }
    parquet.write_table(pyarrow.table(columns), path)
    types = RowTypes({"measure": Measure}, None)
    rows = [types.check(record) for record in read(RowsFile(path, "parquet"))]
    assert [row.arguments["measure"] if isinstance(row, Row) else row.split(":")[0] for row in rows] == [
        Measure(id=1, by_name={"a": 1}, size=1.0),
        "size",
        "has a value that cannot be read",
        Measure(id=4, by_name={"c": 3}, size=4.0),
    ]


def test_a_corrupt_page_costs_the_rows_behind_it_in_its_group(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    texts = [f"text {number} " * 5 for number in range(30)]
    table = pyarrow.table({"id": list(range(30)), "text": texts})
    parquet.write_table(table, path, row_group_size=10, compression="gzip", use_dictionary=False)
    column = parquet.ParquetFile(path).metadata.row_group(1).column(1)
    content = bytearray(path.read_bytes())
    start = column.data_page_offset + 40
    content[start : start + 60] = b"\xff" * 60
    path.write_bytes(content)
    records = list(read(RowsFile(path, "parquet")))
    assert [record.number for record in records] == list(range(1, 31))
    assert [record.number for record in records if record.data is None] == list(range(11, 21))
    assert all("row group 2" in record.problem for record in records[10:20])
