import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { DialectId } from "../../src/core/ids.ts";
import { haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";
import type { Chunking, HeaderLine } from "../faultd/script.ts";
import { SEED } from "./cut-cases.ts";
import { errorCases, OF_ACCOUNT } from "./error-cases.ts";
import { dialectOf, type Exchange, exchangesOf, played, renamed, SURFACES } from "./exchanges.ts";
import { lineOf, type LogLine } from "./log-lines.ts";
import { UPSTREAM_MODELS } from "./six.ts";
import { GATEWAY_KEY, type Got, startSurface, type SurfaceBench } from "./surface-bench.ts";
import { usageOf } from "./usage-oracle.ts";

/** Written one by one, or in pieces of any size: the gateway may see a stream cut anywhere. */
const CHUNKINGS: readonly Chunking[] = [
  "byte",
  { seed: SEED, max: 64 },
  { seed: SEED + 1, max: 900 },
];
const LIMIT_MS = 300_000;

/** What of a vendor's own headers is the caller's business: protocols.md 6.4, reliability.md §4.4. */
const ANY =
  "content-type|retry-after(?:-ms)?|request-id|x-ratelimit-(?:limit|remaining|reset)(?:-requests|-tokens)?";
const relayed = (own: string) => new RegExp(`^(?:${ANY}|${own})$`);
const RELAYED: Readonly<Record<DialectId, RegExp>> = {
  openai: relayed("openai-(?:processing-ms|version)|x-should-retry"),
  responses: relayed("openai-(?:processing-ms|version)|x-should-retry"),
  anthropic: relayed("anthropic-ratelimit-[a-z-]+|x-should-retry"),
  gemini: relayed("x-none"),
  bedrock: relayed("x-amzn-requestid|x-amzn-errortype|x-amzn-bedrock-[a-z-]+"),
  cohere: relayed("num_tokens|x-api-warning|x-[a-z]+-[a-z]+-call-(?:limit|remaining)"),
};
/** What a caller's headers say to the vendor, whoever stands between. */
const FORWARDED = /^(?:content-type|accept|anthropic-(?:version|beta)|x-amzn-bedrock-[a-z-]+)$/;
/** Names of headers that are ours whatever the vendor's say. */
const OWN = /^(?:x-request-id|server-timing|date|connection|cache-control)$/;

/** Whatever else an upstream may say of its own house. */
const PRIVATE_HEADERS: readonly HeaderLine[] = [
  ["openai-organization", "org-canary"],
  ["openai-project", "proj_canary"],
  ["anthropic-organization-id", "11111111-canary"],
  ["set-cookie", "canary=1"],
  ["x-upstream-account", "canary"],
  ["via", "1.1 canary"],
  ["server", "canary"],
];

const judged = new Map(errorCases().map((one) => [`${one.surface}/${one.name}`, one.judged]));

/** The vendor's own answer goes to the caller, unless it speaks of our account or its own health. */
function isRelayed({ surface, name, status }: Exchange): boolean {
  if (OF_ACCOUNT.includes(status)) return false;
  return status < 300 || judged.get(`${surface}/${name}`)?.fault === "caller";
}

for (const surface of SURFACES) {
  const exchanges = exchangesOf(surface);
  describe.skipIf(!haveRecordings)(
    `${surface}: ${exchanges.length} recordings${haveRecordings ? "" : ` ${NO_RECORDINGS}`}`,
    () => {
      let bench: SurfaceBench;
      beforeAll(async () => void (bench = await startSurface(surface)));
      afterAll(() => bench[Symbol.asyncDispose]());

      const property = (name: string, check: (exchange: Exchange) => Promise<string[]>) =>
        test(
          name,
          async () => {
            const wrong: string[] = [];
            for (const exchange of exchanges) {
              const found = await check(exchange);
              wrong.push(...found.map((what) => `${exchange.name}: ${what}`));
            }
            expect(wrong).toEqual([]);
          },
          LIMIT_MS,
        );

      property("bytes go up and come down as they are", async (exchange) => {
        const got = await sent(bench, exchange);
        return [...differencesUp(bench, exchange), ...differencesDown(exchange, got)];
      });

      property("a renamed model is all that changes on the way up", async (exchange) => {
        const { request, path, model } = exchange;
        const alias = `on-${dialectOf(surface)}`;
        const asked = renamed(exchange, alias);
        await sent(bench, asked);
        const due = renamed(exchange, UPSTREAM_MODELS[dialectOf(surface)]);
        const wrong = differencesUp(bench, due);
        if (path === asked.path && request === asked.request)
          wrong.push(`${model} was not renamed`);
        return wrong;
      });

      property(
        "headers that are the caller's business come down, and no others",
        async (exchange) => {
          if (!isRelayed(exchange)) return [];
          const headers = [...played(exchange).headers!, ...PRIVATE_HEADERS];
          const { headers: got } = await sent(bench, exchange, { headers });
          return headers.flatMap(([name, value]) => {
            if (OWN.test(name)) return [];
            const due = RELAYED[dialectOf(surface)].test(name) ? value : null;
            return got.get(name) === due ? [] : [`${name}: ${got.get(name)}, not ${due}`];
          });
        },
      );

      test("the usage in the log is what the answer says", async () => {
        const answered = exchanges.filter(({ status }) => status === 200);
        const idOf = (index: number) => `usage-${surface}-${index}`;
        for (const [index, exchange] of answered.entries()) {
          await sent(bench, exchange, {}, { "x-request-id": idOf(index) });
        }
        const wrong: string[] = [];
        for (const [index, exchange] of answered.entries()) {
          const line = await lineOf(bench.binary, idOf(index));
          wrong.push(...usageDifferences(exchange, line));
        }
        expect(wrong).toEqual([]);
      });

      for (const chunking of CHUNKINGS) {
        test(
          `whatever the pieces: ${JSON.stringify(chunking)}`,
          async () => {
            const wrong: string[] = [];
            for (const exchange of exchanges) {
              const got = await sent(bench, exchange, { chunking });
              const found = differencesDown(exchange, got);
              wrong.push(...found.map((what) => `${exchange.name}: ${what}`));
            }
            expect(wrong).toEqual([]);
          },
          LIMIT_MS,
        );
      }
    },
  );
}

function usageDifferences(exchange: Exchange, { tokens, usage, ending }: LogLine): string[] {
  // An error in a 200 uses nothing: Azure's content filter, recorded by openllmetry.
  if (ending === "relayed_error" && tokens.input + tokens.output === 0) return [];
  const due = usageOf(exchange);
  const isDue = due === undefined || Bun.deepEquals(tokens, due);
  if (isDue && usage === (due === undefined ? "estimated" : "reported")) return [];
  return [`${exchange.name}: ${usage} ${JSON.stringify(tokens)}, not ${JSON.stringify(due)}`];
}

async function sent(
  bench: SurfaceBench,
  exchange: Exchange,
  how: Parameters<typeof played>[1] = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Got> {
  bench.play(played(exchange, how));
  const { path, query, request, requestHeaders } = exchange;
  return bench.send({
    path: query === "" ? path : `${path}?${query}`,
    body: request,
    headers: { "content-type": "application/json", ...requestHeaders, ...headers },
  });
}

/** What reached the upstream otherwise than the caller sent it. */
function differencesUp(bench: SurfaceBench, exchange: Exchange): string[] {
  const { path, query, request } = exchange;
  const { target, text, header, rawHead } = bench.last();
  const wrong: string[] = [];
  const due = `${path.replace(/:(?!\w+$)/g, "%3A")}${query === "" ? "" : `?${query}`}`;
  if (target !== due) wrong.push(`path ${target}, not ${due}`);
  if (text !== request) wrong.push("another body");
  if (header("content-length") !== String(Buffer.byteLength(request))) wrong.push("its length");
  if (`${rawHead}${text}`.includes(GATEWAY_KEY)) wrong.push("the gateway's own key");
  for (const [name, value] of Object.entries(exchange.requestHeaders)) {
    if (FORWARDED.test(name) && header(name) !== value) wrong.push(`${name}: ${header(name)}`);
  }
  return wrong;
}

/** What reached the caller otherwise than the upstream sent it. */
function differencesDown(exchange: Exchange, { status, bytes }: Got): string[] {
  const { response, status: due } = exchange;
  if (!isRelayed(exchange)) {
    return status >= 400 && !bytes.equals(response) ? [] : [`${status}, the vendor's own words`];
  }
  if (status !== due) return [`${status}, not ${due}`];
  return bytes.equals(response) ? [] : [`${bytes.length} other bytes, not ${response.length}`];
}
