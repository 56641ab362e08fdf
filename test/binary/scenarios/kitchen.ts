import type { DialectId } from "../../../src/core/ids.ts";
import { DIALECT_IDS } from "../../../src/core/ids.ts";
import { type Faultd, startFaultd } from "../../faultd/faultd.ts";
import type { Answer as Played, Script } from "../../faultd/script.ts";
import { type Client, type Result, tried } from "../clients/client.ts";
import { type Binary, startBinary } from "../harness.ts";
import { sixProviders, UPSTREAM_MODELS } from "../six.ts";
import type { Answer, Ask, View } from "./ask.ts";
import { type Scenario, SPEECHES } from "./scenarios.ts";

/** The same vendors' models that think. */
const THINKERS: Readonly<Record<DialectId, string>> = {
  ...UPSTREAM_MODELS,
  openai: "gpt-5",
  responses: "gpt-5",
  cohere: "command-a-reasoning-08-2025",
};
/** What a backend says that has no words for the scenario's own answer. */
const PLAIN: Answer = { text: "It is sunny.", stop: "end" };

const NOTHING: Script = { raw: "", then: "rst" };

export interface Cell {
  readonly client: Client;
  readonly backend: DialectId;
  readonly stream: boolean;
}

/** What became of one scenario on one pair. */
export interface Outcome {
  readonly result: Result;
  /** The answer as the vendor's own SDK sees it without us. */
  readonly straight: Result;
  /** What the caller asked for, as its own wire says it; what went up, as the backend's does. */
  readonly asked: View;
  readonly sent: View | undefined;
  /** Client and backend speak the same protocol. */
  readonly isOwn: boolean;
  /** What went up is what came, but for the model's name. */
  readonly isVerbatim: boolean;
  /** Codes, each once, sorted. */
  readonly losses: readonly string[];
}

/** One binary between a faultd and something that looks at the headers of what comes back. */
export class Kitchen implements AsyncDisposable {
  readonly #upstream: Faultd;
  readonly #binary: Binary;
  readonly #window: Bun.Server<undefined>;
  readonly #oracles: ReadonlyMap<DialectId, Client>;
  #script: (body: string) => Script = () => NOTHING;
  #header = "";

  static async open(oracles: ReadonlyMap<DialectId, Client>): Promise<Kitchen> {
    const ready: { script: (body: string) => Script } = { script: () => NOTHING };
    const upstream = startFaultd(({ text }) => ready.script(text));
    const config = sixProviders(upstream) as { models: object };
    const thinkers = DIALECT_IDS.map((protocol) => [
      `think-${protocol}`,
      { provider: `p-${protocol}`, upstream_model: THINKERS[protocol] },
    ]);
    const models = { ...config.models, ...Object.fromEntries(thinkers) };
    const binary = await startBinary({ config: { ...config, models } });
    const kitchen = new Kitchen(upstream, binary, oracles);
    ready.script = (body) => kitchen.#script(body);
    return kitchen;
  }

  private constructor(upstream: Faultd, binary: Binary, oracles: ReadonlyMap<DialectId, Client>) {
    this.#upstream = upstream;
    this.#binary = binary;
    this.#oracles = oracles;
    this.#window = Bun.serve({
      ...{ hostname: "127.0.0.1", port: 0, idleTimeout: 0 },
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        const { method, headers, body } = request;
        const call = { method, headers, body, decompress: false };
        const answer = await fetch(`${binary.origin}${pathname}${search}`, call);
        this.#header = answer.headers.get("x-interlock-loss") ?? "";
        return new Response(answer.body, { status: answer.status, headers: answer.headers });
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#window.stop(true);
    await this.#binary[Symbol.asyncDispose]();
    this.#upstream.stop();
  }

  /** Undefined where the client has no words for what the scenario asks. */
  async serve({ ask, answer, callsByName }: Scenario, cell: Cell): Promise<Outcome | undefined> {
    const { client, backend, stream } = cell;
    const { bodyOf, viewOf } = SPEECHES[client.dialect];
    const model = `${ask.thinks ? "think" : "on"}-${backend}`;
    const body = bodyOf(ask, model);
    if (body === undefined) return undefined;
    const { origin } = this.#upstream;
    this.#script = () => played(client.dialect, PLAIN, stream);
    await tried(client.send({ origin, stream, body }));
    const askedText = this.#took();
    this.#script = () => played(backend, answer, stream);
    const oracle = this.#oracles.get(backend)!;
    const straight = await tried(oracle.ask({ origin, model, stream }));
    this.#took();
    if (callsByName)
      this.#script = (text) => played(backend, renamed(answer, backend, text), stream);
    this.#header = "";
    const own = `http://127.0.0.1:${this.#window.port}`;
    const result = await tried(client.send({ origin: own, stream, body }));
    const sentText = this.#took();
    const codes = this.#header.match(/L-[A-Z-]+/g) ?? [];
    return {
      ...{ result, straight },
      isOwn: client.dialect === backend,
      isVerbatim: sentText === askedText.replace(JSON.stringify(model), quotedName(ask, backend)),
      asked: viewOf(JSON.parse(askedText)),
      sent: sentText === "" ? undefined : SPEECHES[backend].viewOf(JSON.parse(sentText)),
      losses: [...new Set(codes)].toSorted(),
    };
  }

  /** The body of the one request that came up since this was last asked. */
  #took(): string {
    const text = this.#upstream.exchanges.map(({ request }) => request.text).join("\n");
    this.#upstream.forget();
    return text;
  }
}

function renamed(answer: Answer, backend: DialectId, body: string): Answer {
  const [name = ""] = SPEECHES[backend].viewOf(JSON.parse(body)).tools;
  return { ...answer, calls: (answer.calls ?? []).map((call) => ({ ...call, name })) };
}

function quotedName({ thinks }: Ask, backend: DialectId): string {
  return JSON.stringify((thinks ? THINKERS : UPSTREAM_MODELS)[backend]);
}

/** A backend of one protocol that gives this answer, or a plain one where it has no words for it. */
export function played(backend: DialectId, answer: Answer, stream: boolean): Played {
  const { answerOf, streamOf } = SPEECHES[backend];
  if (!stream) {
    const body = JSON.stringify(answerOf(answer) ?? answerOf(PLAIN));
    return { headers: [["content-type", "application/json"]], body };
  }
  const type = backend === "bedrock" ? "application/vnd.amazon.eventstream" : "text/event-stream";
  const body = streamOf(answer) ?? streamOf(PLAIN)!;
  return { headers: [["content-type", type]], body, framing: "chunked" };
}
