import type { Candidate, IrAnswer, Stop } from "../ir/answer.ts";
import { Fields, isList } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { readAnswerBlocks } from "./read-messages.ts";
import { readTier } from "./read-request.ts";
import { extOf, leftOf } from "./rest.ts";
import { readStop } from "./stop.ts";
import { readIrUsage } from "./usage.ts";

/** A whole answer of Converse. It has no id and names no model. */
export function readAnswer(body: JsonObject): IrAnswer {
  const fields = new Fields(body);
  const word = fields.text("stopReason");
  const stop =
    word === undefined ? undefined : readStop(word, body["additionalModelResponseFields"]);
  const output = readOutput(fields.object("output"), stop);
  const usage = fields.object("usage");
  const tier = readTier(fields.object("serviceTier"));
  return {
    origin: "bedrock",
    candidates: output.candidates,
    usage: usage && readIrUsage(usage),
    tier: tier.tier,
    ext: extOf(leftOf(body, fields, { output: output.left, serviceTier: tier.left })),
  };
}

interface OutputRead {
  readonly candidates: readonly Candidate[];
  readonly left?: JsonObject | undefined;
}

function readOutput(output: JsonObject | undefined, stop: Stop | undefined): OutputRead {
  if (output === undefined) return { candidates: [] };
  const fields = new Fields(output);
  const message = fields.object("message");
  const content = message?.["content"];
  if (message === undefined || !isList(content)) return { candidates: [], left: output };
  const inner = new Fields(message);
  inner.skip("content");
  if (inner.peek("role") === "assistant") inner.skip("role");
  const blocks = readAnswerBlocks(content);
  const candidate: Candidate = { index: 0, blocks, stop };
  return {
    candidates: [candidate],
    left: leftOf(output, fields, { message: leftOf(message, inner) }),
  };
}
