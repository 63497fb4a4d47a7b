"""`Emulator`: the emulated API as an object, for tests and scripts of any client."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from .answers import Answerer
from .server import EmulatorSettings, in_thread

API_KEY = "emulated"


class Emulator:
    """An emulator on a thread of its own, from `with` to its end.

    Example:
        `with Emulator() as emulator: client = Anthropic(base_url=emulator.url, api_key=emulator.api_key)`
    """

    def __init__(
        self, *, answer: Answerer | None = None, settings: EmulatorSettings | None = None, **changes: Any
    ) -> None:
        """Describe an emulator; nothing runs yet.

        Args:
            answer: Called with each Messages body; returns a text, an `Answer`, or None for the
                built-in answer.
            settings: How it behaves.
            **changes: Fields of `EmulatorSettings`, in the place of `settings`.
        """
        self.settings = settings or EmulatorSettings(**changes)
        self._answer, self._stack = answer, ExitStack()
        self.url = ""
        """Base URL while it runs, such as `http://127.0.0.1:41234`."""
        self.api_key = self.settings.token or API_KEY
        """A key that it accepts."""

    def start(self) -> Emulator:
        """Start it; returns itself.

        Raises:
            OSError: The port is taken.
            ValueError: It would listen beyond loopback without a token.
        """
        self.url = self._stack.enter_context(in_thread(self.settings, self._answer))
        return self

    def stop(self) -> None:
        """Stop it; stopping again does nothing."""
        self._stack.close()
        self.url = ""

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Control -----------------------------------------------------------------------------------

    def _call(self, method: str, path: str, data: object = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        headers = {"content-type": "application/json"}
        if self.settings.token:
            headers["authorization"] = f"Bearer {self.settings.token}"
        request = urllib.request.Request(f"{self.url}/_emulator/{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                message = json.load(error)["error"]["message"]
            raise ValueError(message) from None

    def bill(self, run: str | None = None) -> dict[str, Any]:
        """Return the bill: `totals` and `entries`, of one `metadata.user_id` or of all."""
        return self._call("GET", "bill" + (f"?run={run}" if run is not None else ""))

    def requests(self) -> list[dict[str, Any]]:
        """Return the last requests, oldest first, with their bodies."""
        return self._call("GET", "requests")["requests"]

    def fault(self, **rule: Any) -> None:
        """Let something go wrong: `fault(status=429, count=1, retry_after=1)`.

        Raises:
            ValueError: The rule is wrong; the text says how.
        """
        self._call("POST", "faults", rule)

    def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        self._call("DELETE", "faults")

    def say(self, match: str = "", **answer: Any) -> None:
        """Script an answer to requests that hold a text: `say("weather", text="Sunny.")`.

        Args:
            match: A text of the request; empty matches all.
            **answer: `text`, `json`, `tool`, `tools`, `thinking` or `refusal`; `model` and `count`
                narrow it.

        Raises:
            ValueError: The script is wrong; the text says how.
        """
        self._call("POST", "answers", {"match": match, **answer})

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._call("POST", "clock", {"advance_s": seconds})

    def reset(self) -> None:
        """Forget bill, batches, cache, faults and scripts."""
        self._call("POST", "reset", {})

    def rules(self) -> Sequence[dict[str, str]]:
        """Return the rules that it keeps, each with its source."""
        return self._call("GET", "rules")["rules"]
