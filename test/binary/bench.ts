import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { postBytes, type RawClient, rawConnect } from "../faultd/raw-client.ts";
import type { SeenRequest } from "../faultd/request-reader.ts";
import type { Script } from "../faultd/script.ts";
import { chatBody, configFor } from "./config.ts";
import { type Binary, startBinary } from "./harness.ts";

export const CHAT = "/v1/chat/completions";

/** One binary in front of one faultd. */
export interface Bench extends AsyncDisposable {
  readonly binary: Binary;
  readonly upstream: Faultd;
  /** Every request from now on gets this. */
  play(script: Script): void;
  /** Or an answer that depends on it. */
  answer(how: (request: SeenRequest) => Script): void;
  /** Asks on a socket of its own; resolves when the request is sent. */
  ask(body?: string): Promise<RawClient>;
  /** A `user` for a request that is to get this script, whatever else is asked meanwhile. */
  own(script: Script): string;
  /** Drops the scripts and the record of all that is over. */
  forget(): void;
  /** A streamed request with a script of its own. */
  askFor(script: Script): Promise<RawClient>;
  post(body?: string | Uint8Array): Promise<Posted>;
}

export interface Posted {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

export interface BenchOptions {
  readonly rest?: object;
  readonly provider?: object;
}

/** Starts both. The model is called `m`; until told otherwise the upstream resets. */
export async function startBench({ rest, provider }: BenchOptions = {}): Promise<Bench> {
  let current: (request: SeenRequest) => Script = () => ({ raw: "", then: "rst" });
  const own = new Map<string, Script>();
  let registered = 0;
  const upstream = startFaultd((request) => {
    const user = /"user":"(own-\d+)"/.exec(request.text)?.[1];
    return own.get(user ?? "") ?? current(request);
  });
  const config = configFor({
    upstream,
    models: ["m"],
    ...(rest && { rest }),
    ...(provider && { provider }),
  });
  const binary = await startBinary({ config });
  async function ask(body = chatBody({ stream: true })): Promise<RawClient> {
    const client = await rawConnect(binary.port);
    await client.send(postBytes(CHAT, body));
    return client;
  }
  function register(script: Script): string {
    const user = `own-${++registered}`;
    own.set(user, script);
    return user;
  }
  return {
    binary,
    upstream,
    play: (script) => void (current = () => script),
    answer: (how) => void (current = how),
    ask,
    own: register,
    forget() {
      own.clear();
      upstream.forget();
    },
    askFor: (script) => ask(chatBody({ stream: true, user: register(script) })),
    async post(body = chatBody()) {
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body, decompress: false };
      const answer = await fetch(`${binary.origin}${CHAT}`, init);
      const bytes = Buffer.from(await answer.arrayBuffer());
      return { status: answer.status, headers: answer.headers, bytes };
    },
    async [Symbol.asyncDispose]() {
      await binary[Symbol.asyncDispose]();
      upstream.stop();
    },
  };
}
