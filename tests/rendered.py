"""Requests of one agent, made by the composer, and their values read back."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from fanwise import Media
from fanwise.context.compose import Composer
from fanwise.context.layout import layout
from fanwise.context.readback import read_back
from fanwise.context.request import Request
from fanwise.context.shape import Need
from fanwise.models import intensity

LONG = "long\n" * 40
MODEL = "claude-haiku-5-5"
INSTRUCTIONS = "Read it."
PIXEL = Media(bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010800000000"))


def asked(
    values: dict[str, Any], blocks: dict[str, str] | None = None, repair: str = "", *, shared: bool = False, **need: Any
) -> Request:
    """The request of one agent; with `shared` another agent reads the same blocks of the row."""
    blocks = blocks or {}
    needs = {
        name: Need(
            agent=name, model=MODEL, intensity=intensity(MODEL, None, None), instructions=f"{INSTRUCTIONS}{name}",
            schema={"type": "object"}, row_blocks=tuple(dict.fromkeys(blocks.values())), repeated=False,
            **({"context": ()} | need),
        )
        for name in ("reader", "other")[: 1 + shared]
    }  # fmt: skip
    return Composer(needs["reader"], layout(needs)["reader"], blocks).request(values, 100, repair)


def shown(values: dict[str, Any], **settings: Any) -> str:
    return asked(values, **settings).content[-1].text


def back(request: Request) -> dict[str, Any]:
    read = read_back(request.body(run_id="r"), (0, 1), {f"{INSTRUCTIONS}reader"})
    assert read is not None
    assert f"{INSTRUCTIONS}reader" in read.texts
    return read.values


class Mail(BaseModel):
    sender: str = "ada"
    body: str = ""
    parts: list[str] = []
    answers: list[Mail] = []
