"""What a client of the SDK, or the server behind it, can do: known before anything is sent.

What the clients for other platforms refuse is read in the SDK (2.12.0 `lib/bedrock/_client.py`,
`lib/vertex/_client.py`, `lib/foundry.py`); a gateway is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.lib.bedrock import AsyncAnthropicBedrock, AsyncAnthropicBedrockMantle
    from anthropic.lib.vertex import AsyncAnthropicVertex

SdkClient: TypeAlias = "AsyncAnthropic | AsyncAnthropicBedrock | AsyncAnthropicBedrockMantle | AsyncAnthropicVertex"
"""The SDK's asynchronous clients; those for Foundry, AWS and Google Cloud are kinds of the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Can:
    """What can be asked of a server."""

    where: str = "this server"
    """For people."""
    batches: bool = True
    count: bool = True
    """Whether tokens are counted for nothing."""
    models: bool = True
    """Whether it tells which models there are."""
    stream: bool = True
    """Whether streams are server-sent events."""


def can(sdk: Any) -> Can:
    """Return what a client can do, as far as its kind says it."""
    # Here and not above: only who passes a client in needs the platforms' own, a third of what the SDK takes to load.
    from anthropic.lib.bedrock import AsyncAnthropicBedrock, AsyncAnthropicBedrockMantle
    from anthropic.lib.foundry import AsyncAnthropicFoundry
    from anthropic.lib.vertex import AsyncAnthropicVertex

    if isinstance(sdk, AsyncAnthropicBedrock):
        return Can(where="Amazon Bedrock", batches=False, count=False, models=False, stream=False)
    if isinstance(sdk, AsyncAnthropicBedrockMantle):
        return Can(where="Amazon Bedrock", batches=False, count=False, models=False)
    if isinstance(sdk, AsyncAnthropicVertex):
        return Can(where="Vertex AI", batches=False, models=False)
    if isinstance(sdk, AsyncAnthropicFoundry):
        return Can(where="Foundry", batches=False, count=False, models=False)
    return Can()


def is_async_client(value: object) -> bool:
    """Return whether a value is one of the SDK's asynchronous clients."""
    from anthropic import AsyncAnthropic
    from anthropic.lib.bedrock import AsyncAnthropicBedrock, AsyncAnthropicBedrockMantle
    from anthropic.lib.vertex import AsyncAnthropicVertex

    kinds = (AsyncAnthropic, AsyncAnthropicBedrock, AsyncAnthropicBedrockMantle, AsyncAnthropicVertex)
    return isinstance(value, kinds)


def is_plain(sdk: Any) -> bool:
    """Return whether a client sends bodies as they are given, so that they need not be made into objects."""
    from anthropic import AsyncAnthropic

    return type(sdk) is AsyncAnthropic


def has_key(sdk: Any) -> bool:
    """Return whether a client of the SDK has resolved credentials: key, token, profile, federation or headers."""
    headers = {name.lower() for name in sdk.default_headers}
    return bool(sdk.api_key or sdk.auth_token or sdk.credentials or headers & {"authorization", "x-api-key"})
