"""Every rule that the emulator keeps: what, from which source, read when. Each has a test that names it.

`documented`: a page or the SDK says so. `observed`: public threads report it; the pages are silent.
`open`: no source settles it; the text is the choice made here. The same table is served at
`GET /_emulator/rules`, and `tests/emulator/test_rules.py` holds it against the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

Kind = Literal["documented", "observed", "open"]
READ = "2026-11-23"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the emulator keeps to, and who says that the API does."""

    id: str
    text: str
    source: str
    kind: Kind
    read: str = READ

    def data(self) -> dict[str, str]:
        """Return it as JSON-ready data."""
        return asdict(self)


def _rules(source: str, kind: Kind, **rules: str) -> Iterator[Rule]:
    for name, text in rules.items():
        yield Rule(id=name.replace("_", "-"), text=text, source=source, kind=kind)


RULES: tuple[Rule, ...] = (
    # Requests and errors
    *_rules(
        "docs: API overview, Errors; SDK 2.12.0 _client.py",
        "documented",
        auth_both_forms="x-api-key and Authorization: Bearer are accepted; x-api-key wins where both are sent",
        auth_missing="without a key: 401 authentication_error",
        error_envelope="errors are {type: error, error: {type, message}, request_id}, also for unknown paths",
        request_id="every reply carries a request-id header",
        size_message="a Messages body over 32 MB: 413 request_too_large",
    ),
    *_rules(
        "docs: Versioning (2026-10-21)",
        "documented",
        version_sampling="2026-10-21 refuses temperature, top_p and top_k; 2023-06-01 takes them",
        version_documents="2026-10-21 refuses document blocks in assistant messages; 2023-06-01 takes them",
        version_citations="2026-10-21 refuses citations on text blocks of user messages; 2023-06-01 takes them",
    ),
    *_rules(
        "docs: Messages; SDK 2.12.0 types/message_create_params.py",
        "documented",
        fields_unknown="unknown fields are refused, in blocks too: Extra inputs are not permitted",
        fields_beta="beta fields are refused without ?beta=true or an anthropic-beta header",
        model_unknown="an unknown model: 404 not_found_error",
        max_tokens_range="max_tokens above the model's limit: 400",
        roles="roles are user and assistant, and system on the models that take it in the middle",
        block_places="tool_use and thinking stand in assistant messages, tool_result and images in user messages",
        empty_content="a message has content, a text block has text",
        stop_sequence="the text ends before a stop sequence; stop_reason and stop_sequence say so",
        truncation="an answer longer than max_tokens ends there with stop_reason max_tokens",
        refusal="a refusal is a reply with stop_reason refusal and stop_details",
        structured_output="with output_config.format the answer is JSON that fits the schema",
        structured_conflicts="output_config.format with citations or with a prefill: 400",
        sse_order="message_start, blocks (start, deltas, stop), message_delta, message_stop; pings; event: lines",
        sse_split="the 5m/1h split and the service_tier stand in message_start, cumulative output in message_delta",
        sse_error="an error in the middle of a stream is an event: error, under status 200",
    ),
    *_rules(
        "docs: Tool use, Pricing; SDK 2.12.0 types/tool_*.py",
        "documented",
        tools_forced="tool_choice tool calls that tool, any calls one at least, none calls none",
        tools_parallel="disable_parallel_tool_use: one call at most",
        tools_named="a forced tool must be among the tools; names are unique",
        tools_prompt="tools add hidden input tokens, by model and by tool_choice auto/none or any/tool",
        tools_answered="each tool_use is answered by a tool_result in the next user message",
    ),
    *_rules(
        "docs: Thinking troubleshooting, Errors",
        "documented",
        gate_thinking="thinking types that a model does not take: 400 (table by model)",
        gate_effort_off="disabled and between_tools are refused with effort xhigh or max",
        gate_forced_tools="forced tools are refused by Fable 5.1, Opus 5.5 and Sonnet 5.5",
        gate_prefill="a last assistant turn is refused from 4.6 on",
        gate_fast="speed fast is refused by models without it, or without the beta header where it is needed",
        gate_geo="inference_geo is refused by 4.5 models",
        thinking_default="models that think by default do so where thinking is left out; counted as output",
        thinking_stripped="thinking of earlier turns is dropped at a new user turn on 4.5 models and older",
    ),
    # Cache
    *_rules(
        "docs: Prompt caching",
        "documented",
        cache_minimum="a prefix under the model's minimum is neither written nor read, without an error",
        cache_breakpoints="at most 4 breakpoints, the automatic one included; a fifth: 400",
        cache_write_at_mark="entries are written at breakpoints only",
        cache_longest_hit="the longest hit wins; what is behind it is written",
        cache_look_back="from a breakpoint 20 positions back are looked up, itself included",
        cache_tool_runs="a run of tool_use or of tool_result blocks is one position",
        cache_input_order="another order of keys in the input of a tool_use is another prefix",
        cache_automatic="top-level cache_control marks the last block that can carry a breakpoint",
        cache_automatic_ttl="top-level cache_control with another TTL than the last block's own: 400",
        cache_ttl="entries live 5 minutes or 1 hour from the start of the request, and a read renews them",
        cache_ttl_order="a 1h breakpoint behind a 5m one: 400",
        cache_bill_abc="read = A, 1h write = B - A, 5m write = C - B, input = the rest",
        cache_split="cache_creation_input_tokens is the sum of the 5m and the 1h part",
        cache_leader="an entry is readable once the response of its writer has begun, not before",
        cache_keyed="workspaces, models, speeds, thinking, effort and output formats have caches of their own",
        cache_default_equal="an explicit default of thinking or effort is as if it were left out",
        cache_tools_change="another tool definition invalidates everything",
        cache_toggles="web search and citations switched on or off invalidate system and messages, not tools",
        cache_tool_choice="tool_choice and images invalidate messages alone",
        cache_unmarkable="thinking blocks and empty texts cannot carry a breakpoint",
        cache_defer="a deferred tool is not in the prompt, so it breaks no prefix",
        prewarm="max_tokens 0 writes the cache, answers nothing and ends with max_tokens",
        prewarm_conflicts="max_tokens 0 with stream, thinking enabled, a format or forced tools: 400",
        diagnostics="diagnostics.cache_miss_reason names model, tools, system or messages as changed",
        diagnostics_unknown="an unknown previous_message_id: previous_message_not_found",
        count_equal="token counts add up over blocks and are the same in billing and in count_tokens",
        count_refuses="count_tokens refuses server tools, MCP servers, and images or documents by URL or file",
        count_sample="the pages' own sample counts 14 tokens; texts have 2.5 or 3.4 characters a token",
    ),
    # Batches
    *_rules(
        "docs: Batch processing; SDK 2.12.0 types/messages",
        "documented",
        batch_envelope="custom_ids, duplicates, the number of requests and 256 MB are checked at once",
        batch_params="params are checked when the batch is processed: errored, shown at the end",
        batch_unsupported="stream, speed, max_tokens 0 and fallbacks in params: errored",
        batch_counts="request_counts are 0 but for processing until the batch has ended",
        batch_results_url="results_url is absolute, and null before the end",
        batch_unordered="results do not come in the order of the requests",
        batch_cancel="a cancelled batch ends with partial results; what was not done is canceled",
        batch_delete="a batch is deleted once it has ended, not before",
        batch_list="batches are listed newest first, in pages of 1 to 1,000",
        batch_expiry="after 24 hours what is not done expires",
        batch_29_days="results are gone 29 days after the creation",
        batch_tier="usage.service_tier is batch",
        batch_half="every token costs half",
        batch_unbilled="errored, canceled and expired items are not billed",
    ),
    *_rules(
        "anthropics/skills#1475; Bike4Mind/bike4mind PR#2741; anthropics/anthropic-sdk-python#1432, #1451",
        "observed",
        batch_cache_apart="batches do not read entries of live calls (knob: shared_cache)",
        batch_cold="a batch reads nothing that it wrote itself (knob: batch_self_reads)",
        cache_lag="entries may be readable only a while after the response began (knob: cache_lag_s; off)",
        batch_404="polls and results may answer 404 for seconds (a fault with for_s; off)",
    ),
    # Limits and money
    *_rules(
        "docs: Rate limits",
        "documented",
        limit_buckets="requests, input and output per minute are token buckets per pool of models",
        limit_reads_free="cache reads do not count as input",
        limit_headers="twelve anthropic-ratelimit headers, retry-after on 429",
        limit_ramp="a sharp rise is refused with ramp_limit_exceeded and retry-after",
        limit_spend="the spend limit: enforced_spend_limit_reached without retry-after, until the month ends",
        limit_queue="batches wait in a queue of limited length",
    ),
    *_rules(
        "docs: Pricing",
        "documented",
        price_table="dollars per million tokens, by model and by date",
        price_writes="5m writes cost 5/4 of the input price, 1h writes 2",
        price_cliff="Haiku 5.5 costs five times as much above 100,000 prompt tokens, for the whole request",
        price_factors="inference_geo us 11/10, fast mode 2, batches 1/2",
        price_refusal="a refusal before any output is free, but for bio, frontier_llm and reasoning_extraction",
        bill_lost="a reply that is lost on the way is billed",
    ),
    # Choices
    *_rules(
        "no source",
        "open",
        version_missing="a request without anthropic-version, or with an unknown one: 400",
        error_texts="texts of errors that no page gives are ours",
        geo_values="inference_geo takes any text; only us has a price of its own",
        tokens_round="tokens of a text are its characters by the documented average, rounded up per block",
        tokens_image="images count width x height / 750, at most 1,568 pixels an edge; unknown sizes 1,600",
        tokens_pdf="PDFs count 2,000 tokens a page",
        tokens_schema="a schema in output_config.format counts as its JSON, in front of the system prompt",
        thinking_amount="a simulated model thinks 16 to 384 tokens by effort, none where half of max_tokens is less",
        tools_free="with tool_choice auto each tool is called once, all in parallel, then the model answers in text",
        cache_read_ttl="a read keeps the TTL that its entry was written with",
        cache_no_eviction="entries are never dropped before their time",
        limit_burst="buckets hold a minute of refill (knob: burst_s)",
        limit_ramp_size="the ramp limit is twice the requests of the last 10 seconds, 50 at least",
        limits_off="without a level nothing is limited and no rate-limit header is sent",
        beta_unmodelled="beta fields are checked by name and have no effect",
        server_tools="server tools are accepted and never called, those named without their date too",
    ),
)
