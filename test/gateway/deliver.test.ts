import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chat, COMPLETION, configOf, simGateway } from "../sim/gateway.ts";
import { simNetwork } from "../sim/network.ts";
import { type Behaviour, cutAt, delta, flow, refusal, STREAM, whole } from "../upstream/pieces.ts";

const KEY = "a-key-of-enough-characters";
const YAML = `
providers: { gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" } }
models: { m: { provider: gpu } }
`;
const ASKED = JSON.stringify(COMPLETION);

async function asked(behaviour: Behaviour, { stream = false, yaml = YAML, model = "m" } = {}) {
  const network = simNetwork({ answer: (sent) => behaviour(sent, 0) });
  const sim = simGateway(configOf(yaml), network);
  const headers: Record<string, string> = yaml.includes("keys:")
    ? { authorization: `Bearer ${KEY}` }
    : {};
  const response = await sim.ask(chat({ model, stream, headers }));
  const text = await response.text().catch(() => "cut");
  return { response, text, fields: sim.lines[0]?.fields, sent: network.sent };
}

test("a whole answer reaches the client byte for byte, with its own status and headers", async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (value) => {
      const body = JSON.stringify(value, null, 1);
      const { response, text, fields } = await asked(() =>
        whole(body, { "request-id": "r1" }, 201),
      );
      expect([response.status, text, response.headers.get("request-id")]).toEqual([
        201,
        body,
        "r1",
      ]);
      expect(fields).toMatchObject({
        status: 201,
        ending: "completed",
        bytes: Buffer.byteLength(body),
      });
    }),
  );
});

test("a stream reaches the client byte for byte, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(10_000), { maxLength: 12 }), async (places) => {
      const { text, fields } = await asked(() => flow(cutAt(STREAM, places)), { stream: true });
      expect(text).toBe(STREAM);
      expect(fields).toMatchObject({ ending: "completed", bytes: Buffer.byteLength(STREAM) });
    }),
  );
});

test("an upstream's refusal of the request is passed on whole, and is the caller's", async () => {
  const error = { message: "n must be 1", param: "n" };
  const { response, text, fields } = await asked(() => refusal(422, error));
  expect([response.status, text]).toEqual([422, await refusal(422, error).text()]);
  expect(fields).toMatchObject({ status: 422, ending: "relayed_error", fault: "client_error" });
});

describe("tokens", () => {
  test("are what the provider says, where it does", async () => {
    const { fields } = await asked(() => whole(ASKED));
    expect(fields).toMatchObject({ tokens: { input: 3, output: 1 }, usage: "reported" });
    const usage = `data: ${JSON.stringify({ choices: [], usage: COMPLETION.usage })}\n\n`;
    const text = STREAM.replace("data: [DONE]", `${usage}data: [DONE]`);
    const streamed = await asked(() => flow([text]), { stream: true });
    expect(streamed.fields).toMatchObject({ tokens: { input: 3, output: 1 }, usage: "reported" });
  });
  test("are estimated by what went in and came out, where it does not, and say so", async () => {
    const { fields, sent } = await asked(() => flow([STREAM]), { stream: true });
    const input = Math.ceil(sent[0]!.body.length / 4);
    const output = Math.ceil("hello".length / 4);
    expect(fields).toMatchObject({ tokens: { input, output }, usage: "estimated" });
  });
  test("of the usage we asked for ourselves are counted, and its chunk is not the client's", async () => {
    const yaml = `${YAML}metering: { include_usage: inject }\n`;
    const usage = `data: ${JSON.stringify({ id: "c1", choices: [], usage: COMPLETION.usage })}\n\n`;
    const text = STREAM.replace("data: [DONE]", `${usage}data: [DONE]`);
    const { text: got, fields, sent } = await asked(() => flow([text]), { stream: true, yaml });
    expect(JSON.parse(sent[0]!.body).stream_options).toEqual({ include_usage: true });
    expect(got).not.toContain("prompt_tokens");
    expect(got).toEndWith("data: [DONE]\n\n");
    expect(fields).toMatchObject({ tokens: { input: 3, output: 1 }, usage: "reported" });
  });
});

describe("a broken stream looks", () => {
  const broken: Behaviour = () => flow([delta("he")]);
  const with_ = (own: string, pool: string, key: string) => `${YAML}
pools: { p: { members: [{ model: m }]${pool} } }
keys: { app: { key: "${KEY}"${key} } }
${own}`;
  const SURFACE = /\n\ndata: \{"error":.*"code":"stream_truncated".*\n\n$/;
  test.each<[string, string, string, RegExp]>([
    ["", "", "", SURFACE],
    ["stream_failure: graceful", "", "", /"finish_reason":"error".*\n\ndata: \[DONE\]/],
    ["stream_failure: abort", "", "", /^cut$/],
    ["stream_failure: abort", ", stream_failure: surface", "", SURFACE],
    ["stream_failure: abort", ", stream_failure: graceful", ", stream_failure: surface", SURFACE],
    ["", "", ", stream_failure: abort", /^cut$/],
  ])("as the key says, else its pool, else the file: %p %p %p", async (own, pool, key, wanted) => {
    const yaml = with_(own, pool, key);
    const { text, fields } = await asked(broken, { stream: true, yaml, model: "p" });
    expect(text).toMatch(wanted);
    expect(fields).toMatchObject({ ending: "truncated", status: 502 });
  });
  test("never finished to who did not ask for that", async () => {
    const { text } = await asked(broken, { stream: true });
    expect(text).not.toContain("[DONE]");
  });
});
