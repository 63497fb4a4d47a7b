"""The graphs of the jobs that `bench/truth.py` runs and recomputes: small, and odd."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated

from pydantic import BaseModel

from fanwise import Block, Media, agent, each, graph, optional, step, tool

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
GUIDE = Block("guide", "Keep to every rule of this guide, and to its spirit too. " * 60)
LAW = Block("law", "Whoever keeps a thing that is not theirs gives it back in time. " * 50)
STAMP = Block("stamp", "", media=Media(PNG))


class Row(BaseModel):
    id: str
    text: str
    page: Annotated[str, Block] = ""


class Scan(BaseModel):
    id: str
    note: str
    picture: Annotated[Media, Block]


@step
def sentences(text: str) -> list[str]:
    return [part.strip() for part in text.split(".") if part.strip()]


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=120)
def facts(page: Annotated[str, Block], text: str) -> str:
    """Find the facts that the text asks for in the page."""
    return f"{len(page)} characters, {text[: len(text) // 2]}"


@agent(model="claude-haiku-5-5", context=[GUIDE, LAW], max_tokens=120)
def rights(page: Annotated[str, Block], sentence: str) -> str:
    """Say what right the sentence claims."""
    return f"a right to {sentence[:40]}, if the {len(page)} characters say so"


@agent(model="claude-sonnet-5-5", context=[GUIDE], max_tokens=400)
def opinion(facts: str, rights: list[str]) -> str:
    """Weigh facts and rights."""
    return f"{facts}: " + "; ".join(rights)


@graph
def levels(row: Row) -> str:
    """Blocks of the job, of an agent and of the row, a list, and two models."""
    return opinion(facts(row.page, row.text), each(sentences(row.text), lambda part: rights(row.page, part)))


@tool
def state_of(order: str) -> str:
    """Look up what has become of an order."""
    if order.endswith("3"):
        raise LookupError("there is no such order")
    return f"shipped on day {len(order)}"


@agent(model="claude-haiku-5-5", tools=[state_of], context=[GUIDE], max_tokens=150, max_turns=4)
def inform(order: str) -> str:
    """Tell what has become of the order."""
    try:
        return f"Your order is {state_of(order)}, and {state_of(order + ' again')}."
    except Exception:
        return "There is no such order."


@agent(model="claude-sonnet-5", max_tokens=100)
def polish(text: str) -> str:
    """Make it polite."""
    return f"Dear customer. {text}"


@graph
def tools(row: Row) -> str:
    """An agent that asks tools, and one that does not."""
    return polish(inform(row.text))


@agent(model="claude-haiku-4-5", context=[STAMP], max_tokens=80)
def read(picture: Annotated[Media, Block], note: str) -> str:
    """Read what the picture says."""
    return f"a dot, {note}"


@agent(model="claude-sonnet-4-6", max_tokens=80)
def file(picture: Annotated[Media, Block], text: str) -> str:
    """Say where it is filed."""
    return f"under {text[:10]}"


@graph
def images(scan: Scan) -> str:
    """Pictures of the context and of the row."""
    return file(scan.picture, read(scan.picture, scan.note))


class Letter(BaseModel):
    id: str
    text: str
    page: Annotated[str, Block] = ""
    picture: Annotated[Media | None, Block] = None


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=80)
def look(picture: Annotated[Media | None, Block], page: Annotated[str, Block], text: str) -> str:
    """Look at the page, and at the picture where there is any."""
    return f"a page of {len(page)}, {text[:20]}"


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=80)
def sort(picture: Annotated[Media | None, Block], page: Annotated[str, Block], seen: str) -> str:
    """Say where it belongs."""
    return f"behind {seen[:10]}"


@graph
def letters(letter: Letter) -> str:
    """Pictures beside the pages of some rows."""
    return sort(letter.picture, letter.page, look(letter.picture, letter.page, letter.text))


@agent(model="claude-next-9", max_tokens=60)
def guess(text: str) -> str:
    """Guess."""
    return text[:20]


@agent(model="claude-haiku-5-5", max_tokens=60)
def check(text: str, guess: str) -> bool:
    """Is the guess right?"""
    return text.startswith(guess)


@graph
def unpriced(row: Row) -> bool:
    """A model that no table prices, and one that is priced."""
    return check(row.text, guess(row.text))


@agent(model="claude-haiku-5-5", max_tokens=30)
def label(text: str) -> str:
    """Label."""
    return text[:5]


@agent(model="claude-opus-5-5", max_tokens=30)
def title(text: str, label: str | None) -> str:
    """Title."""
    return f"{label}: {text[:9]}"


@graph
def tiny(row: Row) -> str:
    """Prompts that are too short for any cache, and a task that may fail."""
    return title(row.text, optional(label(row.text)))


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=40, pack=6)
def about(text: str) -> str:
    """Say what it is about."""
    return text[:12]


@agent(model="claude-sonnet-5-5", max_tokens=60)
def answer(text: str, topic: str) -> str:
    """Answer it."""
    return f"{topic}: {text[-20:]}"


@graph
def packs(row: Row) -> str:
    """Several rows in one request, and one each behind it."""
    return answer(row.text, about(row.text))


@agent(model="claude-opus-4-8", context=[GUIDE], max_tokens=60)
def single(text: str) -> list[str]:
    """Cut the text into its words."""
    return text.split()


@graph
def alone(row: Row) -> list[str]:
    """One agent, behind a step."""
    return single(row.text)


@agent(model="claude-sonnet-5-5", max_tokens=2_000)
def retell(page: Annotated[str, Block], text: str) -> str:
    """Retell the page for whoever wrote the text."""
    return f"To {text[:20]}: " + "once there was a page. " * 60


@agent(model="claude-haiku-5-5", max_tokens=60)
def sign(text: str) -> str:
    """Sign it."""
    return f"signed, {text[:12]}"


@graph
def pages(row: Row) -> str:
    """Calls of which some go ahead live, since the price of the others depends on how long answers are."""
    return sign(retell(row.page, row.text))
