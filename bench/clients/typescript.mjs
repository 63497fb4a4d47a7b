// The TypeScript SDK: a plain call, a stream, tools, a batch, a count.
import Anthropic from "@anthropic-ai/sdk";
import assert from "node:assert";

const client = new Anthropic();
const model = "claude-sonnet-5";
const messages = [{ role: "user", content: "Hello" }];
const plain = await client.messages.create({ model, max_tokens: 500, messages });
assert.equal(plain.content.at(-1).type, "text");
const streamed = await client.messages.stream({ model, max_tokens: 500, messages }).finalMessage();
assert.equal(streamed.usage.output_tokens, plain.usage.output_tokens);
const tool = { name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } };
const called = await client.messages.create({ model, max_tokens: 500, messages, tools: [tool] });
assert.equal(called.stop_reason, "tool_use");
const counted = await client.messages.countTokens({ model, messages });
assert.equal(counted.input_tokens, plain.usage.input_tokens);
const params = { model, max_tokens: 500, messages };
const batch = await client.messages.batches.create({ requests: [{ custom_id: "a", params }] });
while ((await client.messages.batches.retrieve(batch.id)).processing_status !== "ended") {
  await new Promise((done) => setTimeout(done, 50));
}
const kinds = [];
for await (const line of await client.messages.batches.results(batch.id)) kinds.push(line.result.type);
assert.deepEqual(kinds, ["succeeded"]);
console.log("plain, stream, tools, count_tokens, batch");
