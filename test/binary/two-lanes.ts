import type { DialectId } from "../../src/core/ids.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import type { Gate, Script } from "../faultd/script.ts";
import { UPSTREAM_KEY } from "./config.ts";
import { type Binary, startBinary } from "./harness.ts";
import { lineOf } from "./log-lines.ts";
import { CALLS, MOUNTS } from "./six.ts";

/** What became of one request before two backends. */
export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body broke off. */
  readonly broke: boolean;
  /** Each lane tried, with what went wrong there: `one(billing) > two`. */
  readonly route: string;
  readonly ending: string;
  /** Who says how many tokens: `reported`, `estimated`, `partial`. */
  readonly usage: string | undefined;
  readonly level: string;
  readonly tokens: number;
}

export interface Asked {
  /** `both` unless given; `alone` has the first backend only. */
  readonly model?: "both" | "alone";
  readonly stream?: boolean;
  readonly caller?: DialectId;
  /** Opened once the client has this many bytes, so that a reset cannot overtake them. */
  readonly opens?: { readonly gate: Gate; readonly at: number } | undefined;
}

/** One binary before two backends that play what each request asks of them. */
export interface TwoLanes extends AsyncDisposable {
  readonly binary: Binary;
  readonly one: Faultd;
  ask(first: Script, second: Script, asked?: Asked): Promise<Told>;
}

export interface TwoLanesOptions {
  /** What both backends speak; OpenAI's unless given. */
  readonly dialect?: DialectId;
  /** More of the first one's entry. */
  readonly provider?: object;
  /** More of the tree. */
  readonly rest?: object;
}

export async function startTwoLanes(options: TwoLanesOptions = {}): Promise<TwoLanes> {
  const { dialect = "openai", provider, rest } = options;
  const scripts = new Map<string, readonly [Script, Script]>();
  const lanes = [0, 1].map((at) =>
    startFaultd(({ text }) => {
      const pair = scripts.get(/own-\d+-/.exec(text)?.[0] ?? "");
      return pair?.[at] ?? { raw: "", then: "rst" };
    }),
  ) as [Faultd, Faultd];
  const [one, two] = lanes.map(({ origin }) => ({
    protocol: dialect,
    base_url: `${origin}${MOUNTS[dialect]}`,
    ...{ placement: "local", api_key: UPSTREAM_KEY },
  }));
  const binary = await startBinary({
    config: {
      providers: { one: { ...one, ...provider }, two },
      models: { alone: { provider: "one" }, other: { provider: "two" } },
      pools: { both: { members: [{ model: "alone" }, { model: "other", priority: 1 }] } },
      ...rest,
    },
  });
  return {
    binary,
    one: lanes[0],
    async ask(first, second, asked = {}) {
      const { model = "both", stream = false, caller = dialect, opens } = asked;
      const user = `own-${scripts.size}-`;
      scripts.set(user, [first, second]);
      const { path, body } = CALLS[caller](model, { user, stream });
      const answer = await fetch(binary.origin + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const { text, broke } = await textOf(answer, opens);
      const id = ID_HEADERS.map((name) => answer.headers.get(name)).find((said) => said !== null);
      const { route = "", ending, usage, level, tokens } = await lineOf(binary, id ?? "");
      const { status, headers } = answer;
      const told = { route, ending, usage, level, tokens: tokens.input + tokens.output };
      return { status, headers, text, broke, ...told };
    },
    async [Symbol.asyncDispose]() {
      await binary[Symbol.asyncDispose]();
      for (const lane of lanes) lane.stop();
    },
  };
}

const ID_HEADERS = ["x-request-id", "request-id", "x-amzn-requestid"];

async function textOf(
  answer: Response,
  opens: Asked["opens"],
): Promise<Pick<Told, "text" | "broke">> {
  const chunks: Uint8Array[] = [];
  let broke = false;
  let byteCount = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      chunks.push(chunk);
      byteCount += chunk.byteLength;
      if (opens !== undefined && byteCount >= opens.at) opens.gate.open();
    }
  } catch {
    broke = true; // It is what the caller asks about.
  }
  return { text: Buffer.concat(chunks).toString(), broke };
}
