import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { Glob } from "bun";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import { codec as anthropic } from "../../../src/protocol/anthropic/codec.ts";
import { codec as bedrock } from "../../../src/protocol/bedrock/codec.ts";
import { codec as cohere } from "../../../src/protocol/cohere/codec.ts";
import { codec as gemini } from "../../../src/protocol/gemini/codec.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { codec as openai } from "../../../src/protocol/openai/codec.ts";
import { codec as responses } from "../../../src/protocol/responses/codec.ts";
import { parseJson } from "../../../src/wire/exact-json.ts";
import { OWN, outcomeOf } from "./preparing.ts";
import { brokenRules } from "./vendor-rules.ts";

const codecs = { openai, responses, anthropic, gemini, bedrock, cohere };
const FOLDERS: Readonly<Record<DialectId, string>> = {
  openai: "openai-chat",
  responses: "openai-responses",
  anthropic: "anthropic",
  gemini: "gemini",
  bedrock: "bedrock-converse",
  cohere: "cohere",
};
const fixtures = `${import.meta.dir}/../../../../shared/fixtures`;

async function recorded(from: DialectId): Promise<readonly (readonly [string, IrRequest])[]> {
  const folder = `${fixtures}/${FOLDERS[from]}`;
  const requests: (readonly [string, IrRequest])[] = [];
  for (const name of [...new Glob("*.request.json").scanSync(folder)].sort()) {
    const body = parseJson(await Bun.file(`${folder}/${name}`).bytes());
    if (typeof body !== "object" || body === null) continue;
    const head = { model: "m", stream: false };
    const request = codecs[from].readRequest(body as JsonObject, head);
    if (!(request instanceof Rejection)) requests.push([name, request]);
  }
  return requests;
}

const skips = !existsSync(fixtures);
const name = skips ? "recorded requests (skipped: no ../shared/fixtures)" : "recorded requests";
describe.skipIf(skips)(name, () => {
  const pairs = DIALECT_IDS.flatMap((from) => DIALECT_IDS.map((to) => [from, to] as const));
  test.each(pairs.filter(([from, to]) => from !== to))(
    "of %s fit %s, and fit no better the second time",
    async (from, target) => {
      for (const [file, request] of await recorded(from)) {
        const { prepared } = outcomeOf(request, { target });
        if (prepared instanceof Rejection) {
          // A vendor answered these, so nothing in them was malformed.
          expect([file, prepared.reason]).toEqual([file, expect.objectContaining(REFUSED)]);
          continue;
        }
        expect([file, brokenRules(prepared.request, OWN[target])]).toEqual([file, []]);
        const again = outcomeOf(prepared.request, { target }).prepared;
        if (again instanceof Rejection) throw new Error(`${file}: ${JSON.stringify(again)}`);
        expect(JSON.stringify(again.request)).toBe(JSON.stringify(prepared.request));
      }
    },
  );
});
const REFUSED = { kind: "loss_refused" };
