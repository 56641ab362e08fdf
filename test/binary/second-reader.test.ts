import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isDeepStrictEqual } from "node:util";
import { DIALECT_IDS, type DialectId } from "../../src/core/ids.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import type { Script } from "../faultd/script.ts";
import { tried as triedSdk } from "./clients/client.ts";
import { CLIENTS } from "./clients/clients.ts";
import { readTraffic } from "./clients/traffic.ts";
import { type Binary, isFull, startBinary } from "./harness.ts";
import { played } from "./scenarios/kitchen.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";
import { type Read, read } from "./second-reader/reader.ts";
import { sixProviders } from "./six.ts";

/** What a library that reads six protocols on its own makes of text, tools, thoughts and ends. */
const NAMES = ["text", "parallel tools", "one tool", "thinking", "max tokens", "unicode"];
/** Recordings of a backend that are read as well; all of them in a full run. */
const RECORDED = isFull ? Number.POSITIVE_INFINITY : 6;

let script: Script = { raw: "", then: "rst" };
let upstream: Faultd;
let binary: Binary;
beforeAll(async () => {
  upstream = startFaultd(() => script);
  binary = await startBinary({ config: sixProviders(upstream) });
});
afterAll(async () => {
  await binary[Symbol.asyncDispose]();
  upstream.stop();
});

describe("ai sees through us what it sees of the backend itself", () => {
  for (const backend of DIALECT_IDS) {
    for (const client of DIALECT_IDS) {
      test(`${client} on ${backend}`, async () => {
        const wrong: string[] = [];
        for (const { name, stream, answer } of answersOf(backend)) {
          script = answer;
          wrong.push(...(await compared({ name, client, backend, stream })));
        }
        expect(wrong).toEqual([]);
      }, 60_000);
    }
  }
});

function answersOf(backend: DialectId) {
  const own = SCENARIOS.filter(({ name }) => NAMES.includes(name)).flatMap(({ name, answer }) =>
    [false, true].map((stream) => ({ name, stream, answer: played(backend, answer, stream) })),
  );
  const recorded = readTraffic(backend)
    .filter(({ status }) => status === 200)
    .slice(0, RECORDED)
    .map(({ name, stream, script: answer }) => ({ name, stream, answer }));
  return [...own, ...recorded];
}

interface Asked {
  readonly name: string;
  readonly client: DialectId;
  readonly backend: DialectId;
  readonly stream: boolean;
}

async function compared({ name, client, backend, stream }: Asked): Promise<string[]> {
  const what = `${name}${stream ? " streamed" : ""}`;
  const straight = await tried({ dialect: backend, origin: upstream.origin, model: "m", stream });
  const model = `on-${backend}`;
  const through = await tried({ dialect: client, origin: binary.origin, model, stream });
  if ("thrown" in straight || !(await agrees(straight, { backend, stream }))) return [];
  const isFailed = straight.finish === "error" || straight.finish === "other";
  if ("thrown" in through) return isFailed ? [] : [`${what}: threw ${through.thrown}`];
  const wrong: string[] = [];
  for (const part of PARTS) {
    const [wanted, got] = [straight, through].map((each) => partOf(each, part));
    // A count or a word that this library has not got from the backend itself is no measure.
    if (wanted === undefined || isDeepStrictEqual(wanted, got)) continue;
    // Its provider for OpenAI's chat reads no reasoning.
    if (part === "reasoning" && client === "openai") continue;
    if (part === "finish" && SAID_AS[client]?.[String(wanted)]?.includes(String(got))) continue;
    wrong.push(
      `${what}: ${part} ${JSON.stringify(wanted)} became ${JSON.stringify(got)}`.slice(0, 300),
    );
  }
  return wrong;
}

/** What a protocol has no word for: protocols.md 4.2. */
const SAID_AS: { readonly [D in DialectId]?: Readonly<Record<string, readonly string[]>> } = {
  cohere: { "content-filter": ["error", "stop"] },
};

/** OpenAI says `stop` where a call was forced; other wires have no call without its own word. */
function partOf({ calls, finish, ...rest }: Read, part: (typeof PARTS)[number]): unknown {
  if (part === "calls") return calls;
  if (part === "reasoning") return rest.reasoning.replaceAll(/\s+/g, "") || undefined;
  if (part !== "finish") return rest[part];
  if (finish === "other") return undefined;
  return finish === "stop" && calls.length > 0 ? "tool-calls" : finish;
}

const PARTS = ["text", "reasoning", "calls", "finish", "input", "output"] as const;

/**
 * Whether the vendor's own SDK reads the answer alike. Where two readers differ about a recording
 * (another candidate, a call of the wire's first years), neither is a judge.
 */
async function agrees(
  { text, calls, input, output }: Read,
  { backend, stream }: Pick<Asked, "backend" | "stream">,
): Promise<boolean> {
  const vendor = CLIENTS.find(({ dialect }) => dialect === backend)!;
  const { origin } = upstream;
  const seen = await triedSdk(vendor.ask({ origin, model: "m", stream }));
  if (seen.ok && seen.seen.refusal !== "") return false; // To this library a refusal is text.
  // Free text for a tool comes only to those who offered such a tool.
  if (!seen.ok || calls.some(({ args }) => typeof args === "string")) return false;
  const { seen: its } = seen;
  return isDeepStrictEqual(
    [its.text, its.calls, its.input, its.output],
    [text, calls, input, output],
  );
}

async function tried(reading: Parameters<typeof read>[0]): Promise<Read | { thrown: string }> {
  try {
    return await read(reading);
  } catch (error) {
    return { thrown: String(error).slice(0, 200) };
  }
}
