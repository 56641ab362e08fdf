import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import type { SeenRequest } from "../faultd/request-reader.ts";
import type { Script } from "../faultd/script.ts";
import { type Heard, listen, type Listener } from "./clients/iterate.ts";
import { dialectOf, type Surface } from "./exchanges.ts";
import { type Binary, startBinary } from "./harness.ts";
import { sixProviders } from "./six.ts";

/** One binary before a backend of each protocol, whose scripts are chosen by a word of the prompt. */
export interface SixBench extends AsyncDisposable {
  readonly binary: Binary;
  readonly upstream: Faultd;
  /** A prompt for a request that is to get this script, whatever else is asked meanwhile. */
  own(script: Script): string;
  /** What an SDK's plain loop hears of a backend that plays this. */
  heard(listener: Listener, surface: Surface, script: Script): Promise<Heard>;
  /** The request that came upstream with this prompt. */
  seen(user: string): SeenRequest | undefined;
  /** Drops the scripts and the record of all that is over. */
  forget(): void;
}

export interface SixOptions {
  /** More of the tree. */
  readonly rest?: object;
  /** A last look at the configuration's text. */
  readonly change?: (text: string) => string;
}

export async function startSix({
  rest,
  change = (text) => text,
}: SixOptions = {}): Promise<SixBench> {
  const scripts = new Map<string, Script>();
  let registered = 0;
  const upstream = startFaultd(({ text }) => {
    return scripts.get(/own-\d+-/.exec(text)?.[0] ?? "") ?? { raw: "", then: "rst" };
  });
  const binary = await startBinary({
    config: change(JSON.stringify(sixProviders(upstream, rest))),
  });
  function own(script: Script): string {
    const user = `own-${++registered}-`;
    scripts.set(user, script);
    return user;
  }
  return {
    binary,
    upstream,
    own,
    heard(listener, surface, script) {
      const model = `on-${dialectOf(surface)}`;
      return listen(listener, { origin: binary.origin, model, user: own(script) });
    },
    seen: (user) => upstream.exchanges.find(({ request }) => request.text.includes(user))?.request,
    forget() {
      scripts.clear();
      upstream.forget();
    },
    async [Symbol.asyncDispose]() {
      await binary[Symbol.asyncDispose]();
      upstream.stop();
    },
  };
}
