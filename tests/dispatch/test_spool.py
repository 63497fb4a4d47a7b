"""A batch's body: what was added and not dropped, as one JSON document, from memory or from disk."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.dispatch import spool
from fanwise.dispatch.spool import Spool


def read(body: Spool) -> bytes:
    async def main() -> bytes:
        return b"".join([chunk async for chunk in body.chunks()])

    return anyio.run(main)


@given(st.lists(st.none() | st.text(max_size=20), max_size=12))
def test_a_body_is_what_was_added_and_not_dropped(steps: list[str | None]) -> None:
    body, kept = Spool(), list[str]()
    for step in steps:
        if step is not None:
            head = b'{"front":%d,"text":' % (len(step) % 3)
            body.add(f"r-{len(kept)}", head, json.dumps(step).encode() + b"}")
            kept.append(step)
        elif kept:
            body.drop()
            kept.pop()
    size, whole = body.size, read(body)
    expected = [
        {"custom_id": f"r-{place}", "params": {"front": len(step) % 3, "text": step}} for place, step in enumerate(kept)
    ]
    assert json.loads(whole) == {"requests": expected}
    assert (len(whole), len(body)) == (size, len(kept))
    body.close()


def test_a_large_body_stands_on_disk_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "CHUNK_BYTES", 1_000)
    body = Spool(tmp_path)
    for number in range(30):
        body.add(f"r-{number}", b'{"text":', json.dumps("x" * 100_000 + str(number)).encode() + b"}")
    body.drop()
    assert list(tmp_path.iterdir()) == [], "it dies with the process, however that ends"
    assert len(json.loads(read(body))["requests"]) == 29
    body.close()
