"""The models endpoint: what each model can do.

Shape: SDK 2.12.0 `types/model_info.py`; figures: page "Models overview", read 2026-11-23.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .problems import ApiProblem
from .tables import EFFORTS, MODELS, Model, find_model

THINKING = ("adaptive", "between_tools", "disabled", "enabled")
DEPRECATED = {"claude-sonnet-4-5": "2026-11-30T00:00:00Z"}
"""Models that are going, with the day on which they retire ("Model deprecations")."""
RELEASED = {
    "claude-fable-5-2": "2026-11-09", "claude-mythos-5-2": "2026-11-09", "claude-fable-5-1": "2026-09-01",
    "claude-opus-5-5": "2026-09-22", "claude-sonnet-5-5": "2026-09-28", "claude-haiku-5-5": "2026-10-07",
}  # fmt: skip
"""Days of release; those of older models are open and shown as the first of the year."""


def model_infos(*, beta: bool = False) -> list[dict[str, Any]]:
    """Return all models in the API's form."""
    return [model_info(name, beta=beta) for name in MODELS]


@lru_cache(maxsize=256)
def model_info(name: str, *, beta: bool = False) -> dict[str, Any]:
    """Return one model in the API's form.

    Raises:
        ApiProblem: There is none of this name (404).
    """
    model = find_model(name)
    if model is None:
        raise ApiProblem(404, f"model: {name}")
    retires = DEPRECATED.get(name)
    data: dict[str, Any] = {
        "id": name,
        "type": "model",
        "display_name": " ".join(part.capitalize() for part in name.split("-", 2)[:2]) + _version(name),
        "created_at": f"{RELEASED.get(name, '2026-01-01')}T00:00:00Z",
        "lifecycle": "active" if retires is None else "deprecated",
        "deprecated_at": None if retires is None else "2026-01-01T00:00:00Z",
        "retires_at": retires,
        "line": model.line,
        "max_input_tokens": model.max_input,
        "max_tokens": model.max_output,
        "capabilities": _capabilities(model),
    }
    if beta:
        data["allowed_fallback_models"] = None
        data["capabilities"]["compaction"] = None
    return data


def _version(name: str) -> str:
    return " " + ".".join(name.split("-")[2:])


def _support(supported: bool) -> dict[str, Any]:
    return {"supported": supported}


def _capabilities(model: Model) -> dict[str, Any]:
    return {
        "batch": _support(True),
        "citations": _support(True),
        "code_execution": _support(True),
        "context_management": {
            "supported": True,
            "clear_thinking_20251015": _support(True),
            "clear_tool_uses_20250919": _support(True),
            "compact_20260112": _support(True),
        },
        "effort": {"supported": bool(model.efforts), **{name: _support(name in model.efforts) for name in EFFORTS}},
        "image_input": _support(True),
        "pdf_input": _support(True),
        "server_tools": {"supported": True, "code_execution": _support(True), "web_search": _support(True)},
        "structured_outputs": _support(True),
        "thinking": {"supported": True, "types": {name: _support(name in model.thinking) for name in THINKING}},
    }
