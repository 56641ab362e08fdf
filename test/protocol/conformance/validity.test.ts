import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import { dialects } from "../../../src/protocol/dialects.ts";
import { prepare } from "../../../src/protocol/translate/prepare.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { printJson } from "../../../src/wire/exact-json.ts";
import { irRequest } from "../ir-arbitraries.ts";
import { capabilitiesFor, MODELS, PAIRS, requestsOf, SKIPPED, translated } from "./pairs.ts";
import { FULL } from "./sampling.ts";
import { lifetimesIn, RULES } from "./validity.ts";
import { strangersIn } from "./wire-words.ts";

const decoder = new TextDecoder();
const NUM_RUNS = FULL ? 5_000 : 300;
const LIMIT_MS = 600_000;

describe(`a translated recording is one that its target takes${SKIPPED}`, () => {
  for (const [from, to] of PAIRS) {
    test(`${from} > ${to}`, () => {
      const wrong = requestsOf(from).flatMap(({ name, body, stream }) => {
        const done = translated(body, { from, to, stream });
        // Whose prompt lies elsewhere is refused by default: there is nothing to send.
        if (done instanceof Rejection || done.losses.some(({ code }) => code === "L-STATE"))
          return [];
        const sent: unknown = JSON.parse(decoder.decode(done.body));
        return problemsIn(to, sent).map((rule) => `${name}: ${rule}`);
      });
      expect(wrong).toEqual([]);
    });
  }
});

/** What a translated request has that its target would refuse or ignore. */
function problemsIn(to: DialectId, sent: unknown): readonly string[] {
  return [...RULES[to](sent), ...strangersIn(to, sent), ...lifetimesIn(to, sent)];
}

/** Taken by one host, or where one model is laxer than its vendor's rules. */
const LAXER: ReadonlySet<string> = new Set([
  "ruby-llm--chat_string_tool_results_ollama_qwen3_preserves_strings_returned_from_tools.1",
  "ruby-llm--chat_with_params_perplexity_sonar_supports_json_schema_response_format_param",
  "langchain-aws--test_citations-document0",
  "langchain-aws--test_citations-document1.0",
  "langchain-aws--test_citations-document1.1",
  "langchain-aws--test_citations_v1-v0.1",
  "openllmetry--test_guardrail_converse_stream",
  "openllmetry--test_guardrails.test_guardrail_converse",
]);

describe("what the vendors took keeps their rules as they stand here", () => {
  for (const dialect of DIALECT_IDS) {
    test(dialect, () => {
      const usual = requestsOf(dialect).filter(({ name }) => !LAXER.has(name));
      const wrong = usual.flatMap(({ name, body }) =>
        RULES[dialect](JSON.parse(decoder.decode(body))).map((rule) => `${name}: ${rule}`),
      );
      expect(wrong).toEqual([]);
    });
  }
});

describe("any request that is prepared and written is one that its target takes", () => {
  for (const to of DIALECT_IDS) {
    test(
      to,
      () => {
        const capabilities = capabilitiesFor(to);
        const report = (): void => {};
        fc.assert(
          fc.property(irRequest, (request) => {
            fc.pre(request.origin !== to && isRead(request));
            fc.pre(isSpoken(request) && choosesKnown(request));
            const prepared = prepare(request, { target: to, capabilities, report });
            if (prepared instanceof Rejection) return;
            const context = { model: MODELS[to], capabilities, report };
            const body = dialects[to].codec.writeRequest(prepared.request, context);
            const sent: unknown = JSON.parse(printJson(body));
            const broken = problemsIn(to, sent);
            if (broken.length > 0) throw new Error(broken.join("; "));
          }),
          { numRuns: NUM_RUNS, includeErrorInReport: true },
        );
      },
      LIMIT_MS,
    );
  }
});

/** Only Anthropic's wire marks a request as a whole, so no other's reader makes such a mark. */
function isRead({ origin, autoCache }: IrRequest): boolean {
  return autoCache === undefined || origin === "anthropic";
}

/** A choice of a tool that is not there is the caller's mistake, which every vendor refuses. */
function choosesKnown({ tools = [], toolChoice }: IrRequest): boolean {
  const names = new Set(tools.flatMap((tool) => ("name" in tool ? [tool.name] : [])));
  if (toolChoice?.kind === "tool") return names.has(toolChoice.name);
  return toolChoice?.kind !== "allowed" || toolChoice.names.every((name) => names.has(name));
}

/** A request in which the user says nothing is one that no vendor takes. */
function isSpoken({ messages }: IrRequest): boolean {
  return messages.some(
    ({ role, blocks }) =>
      role === "user" && blocks.some((block) => block.type === "text" && block.text.trim() !== ""),
  );
}
