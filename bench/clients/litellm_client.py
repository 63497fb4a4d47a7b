"""LiteLLM: a completion, a stream, tools, an error of the API."""

from __future__ import annotations

import os

import litellm

litellm.suppress_debug_info = True
hello = [{"role": "user", "content": "Hello"}]
settings = {"model": "anthropic/claude-sonnet-5", "max_tokens": 500, "api_base": os.environ["ANTHROPIC_BASE_URL"]}
plain = litellm.completion(messages=hello, **settings)
assert plain.choices[0].message.content, plain
assert plain.usage.completion_tokens > 0
pieces = [chunk.choices[0].delta.content or "" for chunk in litellm.completion(messages=hello, stream=True, **settings)]
assert "".join(pieces) == plain.choices[0].message.content
tool = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
calls = litellm.completion(messages=hello, tools=[tool], **settings).choices[0].message.tool_calls
assert [call.function.name for call in calls] == ["weather"], calls
try:
    litellm.completion(messages=hello, **{**settings, "model": "anthropic/claude-nothing"})
except litellm.NotFoundError:
    print("completion, stream, tools, a 404")
