"""LangChain: a chat, a stream, bound tools, structured output."""

from __future__ import annotations

from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    name: str
    people: int


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sunny in {city}."


chat = ChatAnthropic(model="claude-sonnet-5", max_tokens=500)
answer = chat.invoke("Hello")
assert answer.usage_metadata["output_tokens"] > 0, answer
assert any(chunk.content for chunk in chat.stream("Hello"))
calls = chat.bind_tools([weather]).invoke("How is Berlin?").tool_calls
assert [call["name"] for call in calls] == ["weather"], calls
assert isinstance(chat.with_structured_output(City).invoke("Berlin"), City)
print("chat, stream, bound tools, structured output")
