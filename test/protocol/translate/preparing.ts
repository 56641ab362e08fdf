import type { Capabilities } from "../../../src/core/capabilities.ts";
import type { DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import { capabilities as anthropic } from "../../../src/protocol/anthropic/capabilities.ts";
import { capabilities as bedrock } from "../../../src/protocol/bedrock/capabilities.ts";
import { capabilities as cohere } from "../../../src/protocol/cohere/capabilities.ts";
import { capabilities as gemini } from "../../../src/protocol/gemini/capabilities.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest, Message, Role } from "../../../src/protocol/ir/request.ts";
import { capabilities as openai } from "../../../src/protocol/openai/capabilities.ts";
import { capabilities as responses } from "../../../src/protocol/responses/capabilities.ts";
import { type Prepared, prepare } from "../../../src/protocol/translate/prepare.ts";

/** What each protocol takes, before a host or a model family changes it. */
export const OWN: Readonly<Record<DialectId, Capabilities>> = {
  openai,
  responses,
  anthropic,
  gemini,
  bedrock,
  cohere,
};

export interface Outcome {
  readonly prepared: Prepared | Rejection;
  readonly losses: readonly Loss[];
}

export interface Target {
  readonly target: DialectId;
  readonly change?: Partial<Capabilities>;
}

export function outcomeOf(request: IrRequest, { target, change }: Target): Outcome {
  const losses: Loss[] = [];
  const capabilities = { ...OWN[target], ...change };
  const report = (loss: Loss): void => void losses.push(loss);
  return { prepared: prepare(request, { target, capabilities, report }), losses };
}

/** What a request became, and each loss as `code path action`. */
export interface Told extends Prepared {
  readonly lost: readonly string[];
}

/** @throws when the request is refused: the tests of that ask `outcomeOf`. */
export function prepared(
  given: Partial<IrRequest> & { readonly origin: DialectId },
  target: DialectId,
  change?: Partial<Capabilities>,
): Told {
  const outcome = outcomeOf(requestOf(given), { target, change: change ?? {} });
  if (outcome.prepared instanceof Rejection) {
    throw new Error(JSON.stringify(outcome.prepared.reason));
  }
  const lost = outcome.losses.map(({ code, path, action }) => `${code} ${path} ${action}`);
  // Undefined is the same as absent to every writer.
  return { ...outcome.prepared, request: stripped(outcome.prepared.request), lost };
}

export function requestOf(given: Partial<IrRequest> & { readonly origin: DialectId }): IrRequest {
  return {
    model: "m",
    system: [],
    messages: [],
    tools: undefined,
    sampling: {},
    stream: false,
    ...given,
  };
}

function stripped(request: IrRequest): IrRequest {
  return JSON.parse(JSON.stringify(request)) as IrRequest;
}

export function say(role: Role, ...said: readonly (string | Block)[]): Message {
  const blocks = said.map((each): Block =>
    typeof each === "string" ? { type: "text", text: each } : each,
  );
  return { role, blocks };
}

export function call(id: string | undefined, name = "f"): Block {
  return { type: "tool_call", callId: id, name, args: "{}" };
}

export function result(id: string | undefined, text = "ok", name?: string): Block {
  return { type: "tool_result", callId: id, name, content: [{ type: "text", text }] };
}

/** A conversation in short: `role: text, call id, =id result`. */
export function shape({ messages }: IrRequest): readonly string[] {
  return messages.map(({ role, blocks }) => `${role}: ${blocks.map(word).join(", ")}`);
}

function word(block: Block): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "tool_call":
      return `call ${block.callId ?? block.name}`;
    case "tool_result":
      return `=${block.callId ?? block.name ?? ""}`;
    case "media":
      return block.kind;
    default:
      return block.type;
  }
}
