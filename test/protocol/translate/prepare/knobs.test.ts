import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../../src/core/ids.ts";
import { Rejection } from "../../../../src/core/rejection.ts";
import type { IrRequest } from "../../../../src/protocol/ir/request.ts";
import { outcomeOf, prepared, requestOf } from "../preparing.ts";

type Row = readonly [
  from: DialectId,
  given: Partial<IrRequest>,
  to: DialectId,
  sent: Partial<IrRequest>,
  lost: readonly string[],
];

describe("a knob beside the messages", () => {
  test.each<Row>([
    ["openai", { seed: 7 }, "gemini", { seed: 7 }, []],
    ["gemini", { seed: 7 }, "bedrock", {}, ["L-SEED generationConfig.seed dropped"]],
    ["openai", { candidates: 2 }, "gemini", { candidates: 2 }, []],
    ["openai", { candidates: 2 }, "bedrock", {}, ["L-N n dropped"]],
    ["gemini", { candidates: 1 }, "bedrock", {}, []],
    [
      "openai",
      { logprobs: { enabled: true, top: 3 } },
      "bedrock",
      {},
      ["L-LOGPROBS logprobs dropped", "L-LOGPROBS top_logprobs dropped"],
    ],
    ["openai", { logprobs: { enabled: false } }, "bedrock", {}, []],
    [
      "openai",
      { logprobs: { enabled: true, top: 3 } },
      "cohere",
      { logprobs: { enabled: true } },
      ["L-LOGPROBS top_logprobs dropped"],
    ],
    ["anthropic", { endUser: "u" }, "openai", { endUser: "u" }, []],
    ["anthropic", { endUser: "u" }, "bedrock", {}, ["L-USER metadata.user_id dropped"]],
    ["bedrock", { metadata: { a: "b" } }, "openai", { metadata: { a: "b" } }, []],
    ["bedrock", { metadata: { a: "b" } }, "cohere", {}, ["L-METADATA requestMetadata dropped"]],
    ["openai", { verbosity: "low" }, "responses", { verbosity: "low" }, []],
    ["responses", { verbosity: "low" }, "cohere", {}, ["L-UNKNOWN-FIELD text.verbosity dropped"]],
    ["openai", { cacheKey: "k" }, "responses", { cacheKey: "k" }, []],
    ["openai", { cacheKey: "k" }, "bedrock", {}, ["L-CACHEKEY prompt_cache_key dropped"]],
    ["openai", { tier: "flex" }, "bedrock", { tier: "flex" }, []],
    ["openai", { tier: "default" }, "gemini", { tier: "standard" }, []],
    ["openai", { tier: "priority" }, "anthropic", { tier: "auto" }, []],
    [
      "openai",
      { tier: "scale" },
      "bedrock",
      { tier: "priority" },
      ["L-TIER service_tier approximated"],
    ],
    ["openai", { tier: "auto" }, "bedrock", {}, ["L-TIER service_tier dropped"]],
    ["bedrock", { tier: "odd" }, "openai", {}, ["L-TIER serviceTier.type dropped"]],
    ["openai", { modalities: ["text"] }, "anthropic", {}, []],
    [
      "gemini",
      { modalities: ["text", "image"] },
      "bedrock",
      {},
      ["L-MODALITY generationConfig.responseModalities dropped"],
    ],
  ])("from %s %j to %s is %j", (origin, given, target, sent, lost) => {
    const { request, lost: told } = prepared({ origin, ...given }, target);
    const { seed, candidates, logprobs, endUser, metadata, verbosity } = request;
    const { cacheKey, tier, modalities } = request;
    const known = {
      seed,
      candidates,
      logprobs,
      endUser,
      metadata,
      verbosity,
      cacheKey,
      tier,
      modalities,
    };
    expect(JSON.parse(JSON.stringify(known))).toEqual(sent);
    expect(told.filter((loss) => !loss.startsWith("L-MAXTOK"))).toEqual([...lost]);
  });

  test("a modality that is asked for alone and cannot be had refuses the request", () => {
    const request = requestOf({ origin: "openai", modalities: ["audio"] });
    const { prepared: refused } = outcomeOf(request, { target: "anthropic" });
    expect(refused).toBeInstanceOf(Rejection);
    expect((refused as Rejection).reason).toMatchObject({
      kind: "loss_refused",
      path: "modalities",
    });
  });
});
