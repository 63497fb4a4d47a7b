"""The SDK behind a narrow face: send, batches, models. Retries are off; a hidden retry is a hidden cost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

import anyio

from fanwise.addresses import without_secrets
from fanwise.jsonable import as_list, as_object

from .capable import Can, SdkClient, can, has_key
from .clock import ServerClock
from .failures import MALFORMED, Failure, RequestError, requesting
from .lines import BrokenBodyError, lines_of
from .replies import BatchInfo, BatchResult, Reply, batch_of, header_of, json_of, read_reply, result_of
from .stream import Begun, read_stream

if TYPE_CHECKING:
    import httpx2

ANTHROPIC = "https://api.anthropic.com"
OFFLINE_HEADER = b"fanwise-emulator"
"""Reply header by which an emulator says that what it answers is simulated."""
ASK_TIMEOUT_S = 60.0
CREATE_TIMEOUT_S = 300.0
WHOLE_BODY_BYTES = 500_000
"""Bodies up to this size are sent in one piece."""


class BatchBody(Protocol):
    """The JSON of a batch, in pieces."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes in pieces."""
        ...


def has_credentials() -> bool:
    """Return whether the SDK resolves credentials here: key, token, profile or federation."""
    import anthropic  # 93 times `python -c pass`: only a run, a plan and a comparison ask
    import httpx2

    try:
        # Nothing is sent: proxies are for who sends, and so are authorities of TLS, which take 30 ms to read.
        http = httpx2.Client(transport=httpx2.BaseTransport(), trust_env=False)
        client = anthropic.Anthropic(max_retries=0, http_client=http)
    except (anthropic.AnthropicError, httpx2.InvalidURL):
        return True  # something is configured, and wrong: let the run say so
    with client:
        return has_key(client)


class Api:
    """A connection to the Messages API, or to an emulator of it."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        connections: int = 64,
        client: SdkClient | None = None,
        offline: bool | None = None,
    ) -> None:
        """Connect lazily.

        Args:
            base_url: Another server than the SDK's own choice.
            api_key: Given for the embedded emulator; elsewhere the SDK resolves credentials.
            connections: Most connections at a time.
            client: A client of the SDK that is used instead of one made here; it is not closed.
            offline: Whether replies are simulated; None: the first reply says it.

        Raises:
            UsageError: The SDK refuses its configuration.
        """
        from .wire import Wire, connect  # the first client loads the SDK

        self._is_ours = client is None
        self.can = Can() if client is None else can(client)
        if client is None:
            self._wire = connect(base_url, api_key, connections)
        else:
            self._wire = Wire(cast("Any", client).with_options(max_retries=0), None)
        self.clock = ServerClock()
        """The server's time, by replies that are no messages."""
        self.offline = offline
        """Whether replies are simulated; None until that is known."""

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self._wire.base_url

    async def close(self) -> None:
        """Close all connections that were opened here."""
        if self._is_ours:
            await self._wire.close()

    def _note(self, response: httpx2.Response) -> None:
        """Remember who answers; simulated and real answers in one run end it."""
        simulated = bool(header_of(response, OFFLINE_HEADER))
        if self.offline is None:
            self.offline = simulated
        elif self.offline != simulated:
            text = "replies of an emulator and of the API are mixed at this address; nothing more is sent"
            raise RequestError(
                Failure(verdict="terminal", kind="mixed_answers", message=text, status=response.status_code)
            )

    async def _post(
        self, path: str, content: bytes | AsyncIterator[bytes], timeout_s: float, size: int | None = None
    ) -> httpx2.Response:
        """Send a JSON body; one that is given in pieces never stands in memory as a whole."""
        response = await self._wire.post(path, content, timeout_s, size)
        self._note(response)
        self.clock.note(response.headers.get("date", ""))
        return response

    async def _get(self, path: str, query: Mapping[str, object] | None = None) -> dict[str, Any]:
        response = await self._wire.get(path, query, ASK_TIMEOUT_S)
        self._note(response)
        self.clock.note(response.headers.get("date", ""))
        return json_of(response)

    async def send(self, body: bytes, timeout_s: float, begun: Begun | None = None) -> Reply:
        """Send one Messages request.

        Args:
            body: The request as JSON; it asks for a stream where `begun` is given.
            timeout_s: Seconds for all of it.
            begun: Told when the reply begins; it is streamed then.

        Raises:
            RequestError: It failed; the failure says what that means.
        """
        with anyio.CancelScope(deadline=anyio.current_time() + timeout_s), requesting():
            if begun is not None:
                return await self._stream(body, timeout_s, begun)
            response = await self._wire.message(body, timeout_s)
            self._note(response)
            return read_reply(json_of(response), header_of(response, b"request-id"), response.headers)
        text = f"no reply within {timeout_s:g} s; the request may have been billed"
        raise RequestError(Failure(verdict="lost", kind="timeout", message=text))

    async def _stream(self, body: bytes, timeout_s: float, begun: Begun) -> Reply:
        response = await self._wire.stream(body, timeout_s)
        try:
            self._note(response)
            request_id = response.headers.get("request-id", "")
            return read_reply(await read_stream(lines_of(response), begun, request_id), request_id, response.headers)
        except BrokenBodyError as error:
            text = f"the stream broke: {error}; what came was billed"
            raise RequestError(Failure(verdict="lost", kind="stream_cut", message=text)) from error
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def create_batch(self, body: BatchBody) -> BatchInfo:
        """Submit a batch.

        Raises:
            RequestError: It failed. With verdict `lost` the batch may exist all the same.
        """
        size = body.size
        content: bytes | AsyncIterator[bytes] = body.chunks()
        with requesting():
            if size <= WHOLE_BODY_BYTES:
                content = b"".join([chunk async for chunk in body.chunks()])
            response = await self._post("/v1/messages/batches", content, CREATE_TIMEOUT_S, size)
            return batch_of(json_of(response))

    async def get_batch(self, batch_id: str) -> BatchInfo:
        """Return a batch.

        Raises:
            RequestError: It failed; 404 may be temporary just after the creation.
        """
        with requesting():
            return batch_of(await self._get(f"/v1/messages/batches/{batch_id}"))

    async def cancel_batch(self, batch_id: str) -> None:
        """Ask to cancel a batch."""
        await self._post(f"/v1/messages/batches/{batch_id}/cancel", b"{}", ASK_TIMEOUT_S)

    async def batches_since(self, moment: datetime) -> list[BatchInfo]:
        """Return the workspace's batches that were created at or after a moment, newest first."""
        batches: list[BatchInfo] = []
        after: str | None = None
        while True:
            page = await self._get("/v1/messages/batches", {"limit": 100} | ({"after_id": after} if after else {}))
            listed = [batch_of(data) for data in as_list(page.get("data"))]
            batches += [batch for batch in listed if batch.created >= moment]
            last, before = page.get("last_id"), after
            if not page.get("has_more") or not listed or listed[-1].created < moment:
                return batches
            if not isinstance(last, str) or last == before:
                text = "the list of batches does not say how it goes on"
                raise RequestError(Failure(verdict="lost", kind=MALFORMED, message=text, status=200))
            after = last

    async def results(self, batch_id: str) -> AsyncIterator[BatchResult]:
        """Yield the results of a batch that has ended, as they arrive, in any order.

        A line that does not say whose result it is, such as one that was cut off, is left out.

        Raises:
            RequestError: Reading failed; may be tried again from the start.
        """
        response = await self._wire.download(f"/v1/messages/batches/{batch_id}/results")
        try:
            lines = lines_of(response)
            while True:
                with requesting():  # not around the yield: what its reader raises is the reader's
                    line = await anext(lines, None)
                    result = None if line is None else result_of(line)
                if line is None:
                    return
                if result is not None:
                    yield result
        except BrokenBodyError as error:
            text = f"reading results broke: {error}"
            raise RequestError(Failure(verdict="retry", kind="connection_lost", message=text)) from error
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def check_batches(self) -> None:
        """Find out whether a gateway has Message Batches; an emulator has, and so has the API itself."""
        if not self.can.batches or self.offline or self.base_url.rstrip("/") == ANTHROPIC:
            return
        try:
            await self._get("/v1/messages/batches", {"limit": 1})
        except RequestError as error:
            if error.failure.status in (404, 405, 501):
                self.can = replace(self.can, batches=False, where=without_secrets(self.base_url))

    async def check_model(self, model: str) -> Failure | None:
        """Return why a model cannot be used, or None; asks the free models endpoint, where there is one."""
        if not self.can.models:
            return None
        try:
            await self._get(f"/v1/models/{model}")
        except RequestError as error:
            return error.failure
        return None

    async def count_tokens(self, model: str, text: str) -> int:
        """Return the input tokens of a short question behind a system prompt; an empty text is none.

        Raises:
            RequestError: It cannot be counted here.
        """
        if not self.can.count:
            raise RequestError(
                Failure(verdict="final", kind="not_counted", message=f"{self.can.where} counts no tokens")
            )
        body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "."}]}
        if text:
            body["system"] = [{"type": "text", "text": text}]
        response = await self._post("/v1/messages/count_tokens", encode_body(body), ASK_TIMEOUT_S)
        counted = json_of(response).get("input_tokens")
        if not isinstance(counted, int):
            raise RequestError(Failure(verdict="final", kind=MALFORMED, message="the count is no number"))
        return counted

    async def probe(self) -> None:
        """Ask for the list of models, so that it is known who answers; what it says does not matter."""
        try:
            await self._get("/v1/models", {"limit": 1})
        except RequestError:
            return

    async def bill(self, run_id: str) -> int | None:
        """Return the emulator's bill of a run in picodollars, or None where there is none to be had."""
        try:
            data = await self._get("/_emulator/bill", {"run": run_id, "entries": 0})
        except RequestError:
            return None
        pico = as_object(data.get("totals")).get("pico")
        return pico if isinstance(pico, int) else None


def encode_body(body: object) -> bytes:
    """Return a request body as JSON in UTF-8."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
