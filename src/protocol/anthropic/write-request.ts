import type { RequestContext } from "../codec.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { IrRequest } from "../ir/request.ts";
import { writeCacheMark } from "./cache-mark.ts";
import { innerObject } from "./own-fields.ts";
import { spellingOf } from "./spelling.ts";
import { writeMessage, writeSystem } from "./write-messages.ts";
import { writeOutput } from "./write-reasoning.ts";
import { writeToolChoice, writeTools } from "./write-tools.ts";
import type { Writing } from "./writing.ts";

/** A request of this wire: protocols.md 3, column Anth. */
export function writeRequest(request: IrRequest, context: RequestContext): JsonObject {
  const own = request.ext?.anthropic;
  const { sampling } = request;
  const isOwn = request.origin === "anthropic";
  const writing: Writing = { isOwn, isAnswer: false, report: context.report };
  const members = {
    model: context.model,
    max_tokens: request.maxOutputTokens,
    cache_control: writeCacheMark(request.autoCache),
    system: writeSystem(request, writing),
    messages: request.messages.map((message) => writeMessage(message, writing)),
    metadata: innerObject({ user_id: request.endUser }, { own, name: "metadata" }),
    ...writeOutput(request),
    service_tier: request.tier,
    stop_sequences: request.stop,
    stream: request.stream ? true : undefined,
    temperature: sampling.temperature,
    top_k: sampling.topK,
    top_p: sampling.topP,
    tool_choice: writeToolChoice(request),
    tools: request.tools && writeTools(request.tools, writing),
  };
  return compact(compact(members, spellingOf(request).beside), own);
}
