"""pydantic-ai: an agent with a tool and a typed output, a stream, and requests through batches."""

from __future__ import annotations

import asyncio  # noqa: TID251 - the client needs an asyncio loop
from datetime import timedelta

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.capabilities import BatchModelRequests

MODEL = "anthropic:claude-sonnet-5"


class City(BaseModel):
    name: str
    people: int


agent = Agent(MODEL, output_type=City)
called = []


@agent.tool_plain
def weather(city: str) -> str:
    """Tell the weather of a city."""
    called.append(city)
    return "Sunny."


async def main() -> None:
    result = await agent.run("What about Berlin?")
    assert isinstance(result.output, City)
    assert called, "the tool was never called"
    async with Agent(MODEL).run_stream("Hello") as stream:
        assert await stream.get_output()
    seconds = timedelta(seconds=0.2)
    async with BatchModelRequests(max_requests=3, max_wait=seconds, poll_interval=seconds) as batching:
        batched = Agent(MODEL, capabilities=[batching])
        results = await asyncio.gather(*[batched.run(f"Question {number}") for number in range(3)])
        assert all(result.output for result in results)
    print("agent with tool and typed output, stream, three runs in one batch")


asyncio.run(main())
