"""The Python SDK: a plain call, a stream, structured output, its tool runner, a batch, a count."""

from __future__ import annotations

import time

from anthropic import Anthropic, beta_tool
from pydantic import BaseModel

MODEL = "claude-sonnet-5"


class City(BaseModel):
    name: str
    people: int


@beta_tool
def weather(city: str) -> str:
    """Tell the weather of a city.

    Args:
        city: Its name.
    """
    return f"Sunny in {city}."


client = Anthropic()
hello = [{"role": "user", "content": "Hello"}]
plain = client.messages.create(model=MODEL, max_tokens=500, messages=hello)
assert plain.content[-1].type == "text", plain
with client.messages.stream(model=MODEL, max_tokens=500, messages=hello) as stream:
    assert "".join(stream.text_stream)
    assert stream.get_final_message().usage.output_tokens == plain.usage.output_tokens
parsed = client.messages.parse(model=MODEL, max_tokens=500, messages=hello, output_format=City)
assert isinstance(parsed.parsed_output, City)
runner = client.beta.messages.tool_runner(
    model=MODEL, max_tokens=500, tools=[weather], messages=hello, thread=False, max_iterations=4
)
turns = list(runner)
assert len(turns) == 2, turns
assert turns[0].stop_reason == "tool_use", turns[0]
assert client.messages.count_tokens(model=MODEL, messages=hello).input_tokens == plain.usage.input_tokens
params = {"model": MODEL, "max_tokens": 500, "messages": hello}
batch = client.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
while client.messages.batches.retrieve(batch.id).processing_status != "ended":
    time.sleep(0.05)
results = list(client.messages.batches.results(batch.id))
assert [one.result.type for one in results] == ["succeeded"], results
print("plain, stream, parse, tool runner, count_tokens, batch")
