import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { type Client, tried } from "./clients/client.ts";
import { CLIENTS } from "./clients/clients.ts";
import { type Binary, startBinary } from "./harness.ts";
import { type Answer, type Ask, at, list, text, WEATHER_SCHEMA } from "./scenarios/ask.ts";
import { played } from "./scenarios/kitchen.ts";
import { SPEECHES } from "./scenarios/scenarios.ts";
import { sixProviders } from "./six.ts";

/** A Claude from before there were schemas for an answer. */
const OLD = "claude-3-5-haiku-20241022";
const HOSTS = ["anthropic", "bedrock"] as const;
type Host = (typeof HOSTS)[number];

const ASK: Ask = {
  turns: [{ role: "user", parts: [{ text: "Where is it sunny?" }] }],
  schema: WEATHER_SCHEMA,
};
const ARGS = { city: "Zürich" };

let upstream: Faultd;
let binary: Binary;
let script = (_body: unknown): ReturnType<typeof played> => played("openai", PLAIN, false);
const PLAIN: Answer = { text: "no", stop: "end" };
beforeAll(async () => {
  upstream = startFaultd((request) => script(JSON.parse(request.text)));
  const config = JSON.stringify(sixProviders(upstream));
  binary = await startBinary({ config: config.replaceAll("claude-sonnet-4-5", OLD) });
});
afterAll(async () => {
  await binary[Symbol.asyncDispose]();
  upstream.stop();
});

/** The tools that went up and which of them must be called, whichever of the two wires it was. */
function toolsIn(body: unknown) {
  const onBedrock = list(body, "toolConfig", "tools").map((tool) => ({
    name: text(tool, "toolSpec", "name"),
    schema: at(tool, "toolSpec", "inputSchema", "json"),
  }));
  const own = list(body, "tools").map((tool) => ({
    name: text(tool, "name"),
    schema: at(tool, "input_schema"),
  }));
  const choice = at(body, "tool_choice") ?? at(body, "toolConfig", "toolChoice");
  const asksFormat = at(body, "output_config") ?? at(body, "outputConfig");
  return { tools: [...own, ...onBedrock], choice: JSON.stringify(choice ?? null), asksFormat };
}

/** Asks with one SDK; the backend calls the last tool it was given, or does what `answer` says. */
async function asked(client: Client, host: Host, { stream = false, ask = ASK, answer }: How) {
  let sent: unknown;
  script = (body) => {
    sent = body;
    const name = toolsIn(body).tools.at(-1)?.name ?? "";
    const call: Answer = { calls: [{ id: "call_1", name, args: ARGS }], stop: "tool_call" };
    return played(host, answer?.(name) ?? call, stream);
  };
  const body = SPEECHES[client.dialect].bodyOf(ask, `on-${host}`)!;
  const result = await tried(client.send({ origin: binary.origin, stream, body }));
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return { seen: result.seen, ...toolsIn(sent) };
}
interface How {
  readonly stream?: boolean;
  readonly ask?: Ask;
  readonly answer?: (tool: string) => Answer;
}

describe("a schema for the answer of a model that has no place for one", () => {
  for (const client of CLIENTS) {
    for (const host of HOSTS) {
      if (client.dialect === host) continue; // Its own protocol goes on as it came.
      for (const stream of [false, true]) {
        const way = `${client.name} on ${host}, ${stream ? "streamed" : "buffered"}`;

        test(`${way}: goes up as a tool, and the answer is text again`, async () => {
          const { seen, tools, choice, asksFormat } = await asked(client, host, { stream });
          expect(tools).toEqual([{ name: expect.any(String), schema: WEATHER_SCHEMA }]);
          expect(choice).toContain(`"name":"${tools[0]!.name}"`);
          expect(asksFormat).toBeUndefined();
          expect(JSON.parse(seen.text)).toEqual(ARGS);
          expect(seen).toMatchObject({ calls: [], stop: "end" });
        });

        test(`${way}: what is said before the call is no part of it`, async () => {
          const answer = (name: string): Answer => ({
            ...{ text: "Let me see.", stop: "tool_call" },
            calls: [{ id: "call_1", name, args: ARGS }],
          });
          const { seen } = await asked(client, host, { stream, answer });
          expect(JSON.parse(seen.text)).toEqual(ARGS);
        });
      }
    }
  }

  for (const stream of [false, true]) {
    const [client] = CLIENTS as readonly [Client];
    const google = CLIENTS.find(({ dialect }) => dialect === "gemini")!;
    const ask: Ask = { ...ASK, tools: ["get_weather"] };

    test(`beside tools of the caller's one of all must be called, streamed ${stream}`, async () => {
      for (const host of HOSTS) {
        const { seen, tools, choice } = await asked(client, host, { stream, ask });
        expect(tools).toHaveLength(2);
        expect(choice).toContain("any");
        expect(seen).toMatchObject({ calls: [], stop: "end" });
        const answer = (): Answer => ({
          ...{ calls: [{ id: "call_1", name: "get_weather", args: ARGS }], stop: "tool_call" },
        });
        const other = await asked(client, host, { stream, ask, answer });
        expect(other.seen).toMatchObject({
          ...{ text: "", stop: "tool_call", calls: [{ name: "get_weather", args: ARGS }] },
        });
      }
    });

    test(`a model that answers in words all the same is heard, streamed ${stream}`, async () => {
      for (const host of HOSTS) {
        const answer = (): Answer => ({ text: "I cannot say.", stop: "end" });
        // OpenAI's own SDK throws at words in the place of JSON.
        const { seen } = await asked(google, host, { stream, answer });
        expect(seen).toMatchObject({ text: "I cannot say.", calls: [], stop: "end" });
      }
    });
  }

  test("is told as a loss, and only there", async () => {
    script = () => played("anthropic", { ...PLAIN }, false);
    const lossOf = async (model: string) => {
      const body = SPEECHES.openai.bodyOf(ASK, model);
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await fetch(`${binary.origin}/v1/chat/completions`, init);
      return answer.headers.get("x-interlock-loss") ?? "";
    };
    expect(await lossOf("on-anthropic")).toContain("L-SCHEMA-TOOL(response_format)");
    expect(await lossOf("on-gemini")).not.toContain("L-SCHEMA-TOOL");
  });
});
