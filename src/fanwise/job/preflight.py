"""What is asked before a session sends anything: whether key, models and channel will do, and who answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fanwise.addresses import without_secrets
from fanwise.api.client import Api
from fanwise.api.failures import Failure
from fanwise.errors import RunDirectoryError, UsageError
from fanwise.graph.nodes import GraphSpec

from .spec import JobSpec


async def check_models(api: Api, graphs: Iterable[GraphSpec]) -> None:
    """Ask the free models endpoint whether it takes the key and knows every model of the graphs.

    Raises:
        UsageError: The key is refused, models do not exist, or nobody answers.
    """
    tasks = (node for graph in graphs for node in graph.tasks())
    models = dict.fromkeys(node.target.spec.model for node in tasks if node.target.spec is not None)
    unknown = [model for model in models if not _is_known(await api.check_model(model), api)]
    if unknown:
        raise UsageError(f"the API knows no model {', '.join(map(repr, unknown))}; correct the agent's model")


def _is_known(failure: Failure | None, api: Api) -> bool:
    """Return whether the API knows a model, from how asking for it has failed.

    Raises:
        UsageError: The key is refused, nobody answers, or somebody else is named.
    """
    if failure is None:
        return True
    if failure.status in (401, 403):
        raise UsageError(
            f"the API refuses the key: {failure.message}; set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN to a valid one"
        )
    if failure.is_redirect or failure.verdict == "broken":
        raise UsageError(failure.message)
    if failure.status is None:
        where = without_secrets(api.base_url)
        raise UsageError(f"nobody answers at {where}: {failure.message}; check --base-url and the network")
    return failure.kind != "not_found_error"


async def usable_channel(api: Api, spec: JobSpec, notes: list[str]) -> JobSpec:
    """Return the spec with a channel that there is: without batches everything goes live, and a note says so.

    Raises:
        UsageError: Batches were asked for.
    """
    if spec.channel == "live":
        return spec
    await api.check_batches()
    if api.can.batches:
        return spec
    if spec.channel == "batch":
        raise UsageError(f"{api.can.where} has no Message Batches; add --channel live")
    notes.append(f"{api.can.where} has no Message Batches: everything goes live, at the full price")
    return replace(spec, channel="live")


def check_same_kind(offline: bool | None, before: bool | None) -> None:
    """Check that simulated and real answers are not mixed.

    Args:
        offline: Whether stand-ins answer now; None: nobody has said so.
        before: Whether they have answered in earlier sessions; None: there were none.

    Raises:
        RunDirectoryError: The run was answered by the other kind.
    """
    if offline is not None and before not in (None, offline):
        raise RunDirectoryError(
            "simulated and real answers are never mixed: this run was answered by the other kind; start a new one"
        )
