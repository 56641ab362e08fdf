import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DIALECT_IDS, type DialectId } from "../../src/core/ids.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";
import type { Script } from "../faultd/script.ts";
import { type Client, type Result, tried } from "./clients/client.ts";
import { CLIENTS } from "./clients/clients.ts";
import { readTraffic, type Traffic } from "./clients/traffic.ts";
import { differences } from "./clients/verdict.ts";
import { type Binary, startBinary } from "./harness.ts";
import { sixProviders } from "./six.ts";

/** The vendor's own SDK for what each backend speaks: the oracle. */
const ORACLES = new Map<DialectId, Client>(
  CLIENTS.map((client) => [client.dialect, client] as const).toReversed(),
);

let script: Script = { raw: "", then: "rst" };
let upstream: Faultd;
let binary: Binary;

describe.skipIf(!haveRecordings)(
  `every SDK on every backend sees what the vendor's own SDK sees${haveRecordings ? "" : ` ${NO_RECORDINGS}`}`,
  () => {
    beforeAll(async () => {
      upstream = startFaultd(() => script);
      binary = await startBinary({ config: sixProviders(upstream) });
    });
    afterAll(async () => {
      await binary[Symbol.asyncDispose]();
      upstream.stop();
    });

    for (const backend of DIALECT_IDS) {
      const traffic = readTraffic(backend);
      for (const client of CLIENTS) {
        test(`${client.name} on ${backend}: ${traffic.length} answers`, async () => {
          const wrong: string[] = [];
          for (const recorded of traffic) wrong.push(...(await compared(client, recorded)));
          expect(wrong).toEqual([]);
        }, 120_000);
      }
    }
  },
);

/** What this client sees otherwise than the vendor's own, one line for each. */
async function compared(client: Client, recorded: Traffic): Promise<string[]> {
  script = recorded.script;
  const { stream, backend, name } = recorded;
  const oracle = ORACLES.get(backend)!;
  const straight = await directOutcome(oracle, recorded);
  const model = `on-${backend}`;
  const through = await tried(client.ask({ origin: binary.origin, model, stream }));
  if (!straight.ok) {
    // A recording that its vendor's SDK throws at: another protocol may make sense of it.
    if (client !== oracle) return [];
    return isDeepStrictEqual(straight, through) ? [] : [`${name}: ${JSON.stringify(through)}`];
  }
  return differences(straight.seen, through, client.dialect).map(
    (difference) => `${name}: ${difference}`,
  );
}

const known = new Map<string, Result>();

async function directOutcome(oracle: Client, { name, stream, backend }: Traffic): Promise<Result> {
  const key = `${backend}/${name}`;
  let result = known.get(key);
  if (result === undefined) {
    result = await tried(oracle.ask({ origin: upstream.origin, model: "m", stream }));
    known.set(key, result);
  }
  return result;
}
