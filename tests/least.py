"""The least that a run could have cost, recomputed from the emulator's bill and from what went over the wire.

Nothing of fanwise is imported: tokens are counted from the texts, prices and minimum lengths are typed from the pages
"Pricing" and "Prompt caching", read 2026-11-23. Where two ways of counting differ, the one is taken that makes it less.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil
from typing import Any, NamedTuple

LIFE_S = 3600.0


class Price(NamedTuple):
    """A model: picodollars per token, shortest cached prefix, characters per ten tokens, hidden tokens of tools."""

    plain: int
    write: int
    read: int
    output: int
    minimum: int
    tenth_chars: int
    hidden: int


PRICES = {
    "claude-haiku-5-5": Price(100_000, 125_000, 10_000, 500_000, 512, 25, 286),
    "claude-opus-5-5": Price(4_000_000, 5_000_000, 200_000, 20_000_000, 512, 25, 286),
    "claude-sonnet-5": Price(2_000_000, 2_500_000, 200_000, 10_000_000, 1_024, 25, 354),
    "claude-haiku-4-5": Price(1_000_000, 1_250_000, 100_000, 5_000_000, 4_096, 34, 496),
}


@dataclass(kw_only=True)
class Sent:
    """A billed request in halves of a picodollar, so that the price of a batch is whole."""

    at: float
    model: str
    times: int
    """1 in a batch, 2 live."""
    prompt: int
    read: int
    output: int
    counted: dict[str, int] = field(default_factory=dict[str, int])
    """Tokens of each block, by its content: counted from its text."""
    shared: dict[str, float] = field(default_factory=dict[str, float])
    """The same: its share of the input by its characters."""

    def least(self, text: str) -> int:
        """The smaller of both counts."""
        return min(self.counted[text], int(self.shared[text]))

    def most(self, texts: list[str]) -> int:
        """The larger count of some blocks together."""
        counted, shared = (sum(sizes[text] for text in texts) for sizes in (self.counted, self.shared))
        return min(self.prompt, max(int(counted), ceil(shared)))


def sent_requests(bill: dict[str, Any], wire: list[dict[str, Any]], items: dict[str, dict[str, Any]]) -> list[Sent]:
    """The billed requests in order, each with its blocks.

    Args:
        bill: The emulator's bill.
        wire: The requests that it remembers.
        items: Bodies in batches by custom_id.
    """
    bodies = items | {request["id"]: request["body"] for request in wire if request["path"] == "/v1/messages"}
    entries = sorted(bill["entries"], key=lambda entry: entry["at"])
    return [_sent(entry, bodies[entry["custom_id"] or entry["id"]]) for entry in entries]


def _sent(entry: dict[str, Any], body: dict[str, Any]) -> Sent:
    prompt = sum(entry[kind] for kind in ("input", "write_5m", "write_1h", "read"))
    sent = Sent(
        at=entry["at"], model=entry["model"], times=1 if entry["batch_id"] else 2, prompt=prompt, read=entry["read"],
        output=entry["output"],
    )  # fmt: skip
    texts = block_texts(body)
    total = sum(map(len, texts))
    hidden = PRICES[sent.model].hidden if body.get("tools") else 0
    for text in dict.fromkeys(texts):
        is_tools = bool(hidden) and text is texts[0]
        sent.counted[text] = -(-len(text) * 10 // PRICES[sent.model].tenth_chars) + hidden * is_tools
        sent.shared[text] = prompt * len(text) / total
    return sent


def block_texts(body: dict[str, Any]) -> list[str]:
    """The blocks of a body: all tools, the schema, each block of `system` and of the messages."""
    texts: list[str] = []
    if body.get("tools"):
        texts.append(_json(body["tools"]))
    form = (body.get("output_config") or {}).get("format")
    if form:
        texts.append(_json(form["schema"]))
    texts += [block["text"] for block in body.get("system") or ()]
    first, *others = body["messages"]
    texts += [block["text"] for block in first["content"]]
    return texts + [_json({**message, "content": list(map(_bare, message["content"]))}) for message in others]


def _bare(block: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != "cache_control"}


def _json(data: object) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def least_price(requests: list[Sent]) -> int:
    """The price in picodollars, rounded down, at which every block is written once in each life and read otherwise.

    A block that is sent once, or whose writing no reading pays for, is plain input, and so is all that is no part of a
    prefix long enough for its model.
    """
    chains = _chains(requests)
    repeated: dict[int, list[str]] = defaultdict(list)
    for text, chain in chains:
        for request in chain:
            repeated[id(request)].append(text)
    readers = {id(request) for request in requests if _can_read(request, repeated[id(request)])}
    total = 0
    for request in requests:
        price, texts = PRICES[request.model], repeated[id(request)]
        total += request.times * (request.prompt * price.plain + request.output * price.output)
        if id(request) in readers:
            total -= request.times * request.most(texts) * (price.plain - price.read)
        # What was really read here was not written here: a part of the begun blocks, where counts are rounded.
        lacking = max(request.read - sum(map(request.least, texts)), 0)
        total -= request.times * lacking * (price.write - price.plain)
    return (total + sum(_write(text, chain, readers) for text, chain in chains)) // 2


def _write(text: str, chain: list[Sent], readers: set[int]) -> int:
    """What the requests of one life of a block cost more, at the least, than if all of them had read it."""
    price = PRICES[chain[0].model]
    saved = [request.times * request.least(text) * (price.plain - price.read) for request in chain]
    saved_by_readers = [amount for amount, request in zip(saved, chain, strict=True) if id(request) in readers]
    not_read = min(saved) if len(saved_by_readers) == len(chain) else 0
    tokens = min(request.times for request in chain) * min(request.least(text) for request in chain)
    return not_read + max(min(tokens * (price.write - price.plain), sum(saved_by_readers) - max(saved)), 0)


def _can_read(request: Sent, texts: list[str]) -> bool:
    """Whether what was sent more than once is long enough in a request."""
    return request.most(texts) >= PRICES[request.model].minimum or request.read > 0


def _chains(requests: list[Sent]) -> list[tuple[str, list[Sent]]]:
    """Each block with the requests of one life, two at least, in order."""
    chains: list[tuple[str, list[Sent]]] = []
    open_chains = defaultdict[tuple[str, str], list[Sent]](list)
    for request in requests:
        for text in request.counted:
            chain = open_chains[request.model, text]
            if chain and request.at - chain[-1].at > LIFE_S + 60:
                chains.append((text, chain))
                chain = open_chains[request.model, text] = []
            chain.append(request)
    chains += [(text, chain) for (_, text), chain in open_chains.items()]
    return [(text, chain) for text, chain in chains if len(chain) > 1]
