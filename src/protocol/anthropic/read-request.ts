import { Rejection } from "../../core/rejection.ts";
import type { ReadHead } from "../codec.ts";
import { compact, isList } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { IrRequest } from "../ir/request.ts";
import { readCacheMark } from "./cache-mark.ts";
import { OwnFields } from "./own-fields.ts";
import { readMessages, readSystem } from "./read-messages.ts";
import { readOutput } from "./read-reasoning.ts";
import { readTool, readToolChoice } from "./read-tools.ts";
import { spelled } from "./spelling.ts";

/** A request of this wire: protocols.md 3, column Anth. */
export function readRequest(body: JsonObject, head: ReadHead): IrRequest | Rejection {
  const fields = new OwnFields(body);
  const messages = readMessages(fields.any("messages"));
  if (messages instanceof Rejection) return messages;
  const model = fields.text("model") ?? head.model;
  const stream = fields.flag("stream") ?? head.stream;
  const top = readSystem(fields);
  const request: IrRequest = {
    origin: "anthropic",
    model,
    system: [],
    ...top,
    messages,
    tools: fields.objects("tools")?.map((raw, index) => readTool(raw, `tools[${index}]`)),
    ...readToolChoice(fields),
    sampling: {
      temperature: fields.number("temperature"),
      topP: fields.number("top_p"),
      topK: fields.number("top_k"),
    },
    maxOutputTokens: fields.number("max_tokens"),
    stop: readStop(fields),
    ...readOutput(fields),
    stream,
    autoCache: readCacheMark(fields),
    endUser: fields.inner("metadata", (inner) => inner.text("user_id")),
    tier: fields.text("service_tier"),
    ext: fields.own(),
  };
  const beside = compact({
    stream: body["stream"] === false ? false : undefined,
    system: top?.system.length === 0 ? [] : undefined,
  });
  return spelled(request, { beside });
}

function readStop(fields: OwnFields): readonly string[] | undefined {
  const list = fields.peek("stop_sequences");
  if (!isList(list) || !list.every((word) => typeof word === "string")) return undefined;
  fields.skip("stop_sequences");
  return list;
}
