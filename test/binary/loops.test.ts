import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DIALECT_IDS, type DialectId } from "../../src/core/ids.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";
import type { Answer, Script } from "../faultd/script.ts";
import { readTraffic, type Traffic } from "./clients/traffic.ts";
import { framesOf, dataOf, messageOf } from "./frames.ts";
import { type Binary, startBinary } from "./harness.ts";
import { LOOPS } from "./loops/loop.ts";
import { SPEECHES } from "./scenarios/scenarios.ts";
import { sixProviders } from "./six.ts";

/** Who signs what they thought. */
const SIGNERS = ["anthropic", "bedrock", "gemini", "responses"] as const satisfies DialectId[];
/** Where each wire has a proof or a seal. */
const PROOFS: Readonly<Record<(typeof SIGNERS)[number], readonly string[]>> = {
  anthropic: ["signature"], // And `redacted_thinking`, whose `data` has a name of many.
  bedrock: ["signature", "redactedContent"],
  gemini: ["thoughtSignature"],
  responses: ["encrypted_content"],
};

/** Parts of what Google's own tools did. */
const HOSTED = ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];
/** A stream that starts over in its middle is an error, and no loop goes on from there. */
const BROKEN = "vercel-ai--spliced-message-start";

let scripts: Script[] = [];
let upstream: Faultd;
let binary: Binary;

describe.skipIf(!haveRecordings)(
  `a tool loop through another protocol${haveRecordings ? "" : ` ${NO_RECORDINGS}`}`,
  () => {
    beforeAll(async () => {
      upstream = startFaultd(() => scripts.shift() ?? { raw: "", then: "rst" });
      binary = await startBinary({ config: sixProviders(upstream) });
    });
    afterAll(async () => {
      await binary[Symbol.asyncDispose]();
      upstream.stop();
    });

    for (const backend of SIGNERS) {
      const signed = readTraffic(backend).filter(
        (traffic) => traffic.name !== BROKEN && proofsOf(traffic).length > 0,
      );

      test(`${backend}: there are recordings of both sorts`, () => {
        expect(new Set(signed.map(({ stream }) => stream)).size).toBe(2);
      });

      for (const client of DIALECT_IDS.filter((id) => id !== backend)) {
        const what = client === "cohere" ? "are not sent back" : "come back byte for byte";
        test(`${client} on ${backend}: the proofs of ${signed.length} answers ${what}`, async () => {
          const wrong: string[] = [];
          for (const traffic of signed) {
            const back = await loopOf(client, traffic);
            const proofs = proofsOf(traffic);
            const missing = proofs.filter((proof) => !back.includes(proof));
            const isRight =
              client === "cohere" ? missing.length === proofs.length : missing.length === 0;
            if (!isRight)
              wrong.push(`${traffic.name}: ${missing.length} of ${proofs.length} missing`);
          }
          expect(wrong).toEqual([]);
        }, 60_000);
      }
    }
  },
);

/** The body of the second request as the upstream got it. */
async function loopOf(client: DialectId, { backend, stream, script }: Traffic): Promise<string> {
  const plain = SPEECHES[backend].answerOf({ text: "Sunny.", stop: "end" });
  const body = JSON.stringify(plain);
  scripts = [script, { headers: [["content-type", "application/json"]], body } satisfies Answer];
  upstream.forget();
  await LOOPS[client]({ origin: binary.origin, model: `on-${backend}`, stream });
  return upstream.exchanges.at(1)?.request.text ?? "";
}

function proofsOf({ backend, stream, body }: Traffic): string[] {
  const documents = stream
    ? framesOf(backend, body).map((frame) =>
        backend === "bedrock" ? messageOf(frame).payload : finishedOf(dataOf(frame)),
      )
    : [JSON.parse(new TextDecoder().decode(body)) as unknown];
  const names = PROOFS[backend as keyof typeof PROOFS];
  return [...new Set(documents.flatMap((document) => collect(document, names)))];
}

/** Responses says an item as it begins and when it is done: then its seal counts. */
function finishedOf(data: unknown): unknown {
  const { type } = (data ?? {}) as { type?: string };
  return type?.startsWith("response.") && type !== "response.output_item.done" ? undefined : data;
}

function collect(value: unknown, names: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => collect(each, names));
  if (typeof value !== "object" || value === null) return [];
  const { type, data } = value as { type?: unknown; data?: unknown };
  const seal = type === "redacted_thinking" && typeof data === "string" ? [data] : [];
  const isHosted = type === "compaction" || HOSTED.some((name) => name in value);
  if (isHosted) return []; // What the vendor's own tools did stays with the vendor: L-HOSTED.
  const own = Object.entries(value).flatMap(([name, each]) => {
    const isProof = names.includes(name) && typeof each === "string" && each !== "";
    return isProof ? [each] : collect(each, names);
  });
  return [...seal, ...own];
}
