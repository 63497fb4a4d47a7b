"""The same fan-out and join by other frameworks; run by the Python that `make bench-peers` sets up.

Usage: peers.py langgraph|pydantic-ai URL ROWS SLOTS
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - what these frameworks run on
import json
import operator
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypedDict

MODEL = "claude-haiku-5-5"
TEXT = "A customer writes that the page does not load. " * 4
ASPECTS = ("facts", "tone", "risk", "policy")


def by_langgraph(url: str) -> Callable[[str], Awaitable[Any]]:
    from langchain_anthropic import ChatAnthropic
    from langgraph.graph import END, START, StateGraph

    model = ChatAnthropic(model=MODEL, base_url=url, api_key="k", max_retries=0, max_tokens=50)

    class State(TypedDict):
        text: str
        found: Annotated[list[str], operator.add]
        answer: str

    def reviewer(aspect: str) -> Any:
        async def review(state: State) -> dict[str, Any]:
            reply = await model.ainvoke([("system", f"Judge the {aspect}."), ("user", state["text"])])
            return {"found": [str(reply.content)]}

        return review

    async def join(state: State) -> dict[str, Any]:
        reply = await model.ainvoke([("system", "Answer by the reviews."), ("user", "\n".join(state["found"]))])
        return {"answer": str(reply.content)}

    builder: Any = StateGraph(State)
    builder.add_node("join", join)
    builder.add_edge("join", END)
    for aspect in ASPECTS:
        builder.add_node(aspect, reviewer(aspect))
        builder.add_edge(START, aspect)
    builder.add_edge(list(ASPECTS), "join")
    graph = builder.compile()

    async def work(text: str) -> Any:
        return await graph.ainvoke({"text": text, "found": [], "answer": ""})

    return work


def by_pydantic_ai(url: str) -> Callable[[str], Awaitable[Any]]:
    from anthropic import AsyncAnthropic
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(api_key="k", base_url=url, max_retries=0)
    model = AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client))
    settings: Any = {"max_tokens": 50}
    reviewers = [Agent(model, instructions=f"Judge the {aspect}.", model_settings=settings) for aspect in ASPECTS]
    last = Agent(model, instructions="Answer by the reviews.", model_settings=settings)

    async def work(text: str) -> Any:
        found = await asyncio.gather(*(one.run(text) for one in reviewers))
        return await last.run("\n".join(one.output for one in found))

    return work


async def carry_out(work: Callable[[str], Awaitable[Any]], rows: int, slots: int) -> None:
    limit = asyncio.Semaphore(max(slots // len(ASPECTS), 1))

    async def one(number: int) -> None:
        async with limit:
            await work(f"{number}: {TEXT}")

    await asyncio.gather(*(one(number) for number in range(rows)))


async def measured(kind: str, url: str, rows: int, slots: int) -> dict[str, float]:
    work = {"langgraph": by_langgraph, "pydantic-ai": by_pydantic_ai}[kind](url)
    await carry_out(work, 4, slots)  # what is loaded on first use is in no figure
    before, start = time.process_time(), time.monotonic()
    await carry_out(work, rows, slots)
    calls = rows * (len(ASPECTS) + 1)
    cpu, wall = time.process_time() - before, time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_ms": cpu * 1000 / calls, "calls_per_s": calls / wall, "peak_mib": peak}


kind, url, rows, slots = sys.argv[1:5]
print(json.dumps(asyncio.run(measured(kind, url, int(rows), int(slots)))))
