import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { meetsCondition } from "../../src/config/condition.ts";
import type { ModelCondition } from "../../src/config/config.ts";
import { lanesFor } from "../../src/config/reach.ts";
import { Rejection } from "../../src/core/rejection.ts";
import {
  buildRoutes,
  findTarget,
  matches,
  OTHER_MODEL,
  type Target,
} from "../../src/router/routes.ts";
import { configOf } from "../sim/gateway.ts";

const PROVIDERS = `
providers:
  gpu: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" }
  ext: { protocol: openai, base_url: "https://ext.example/v1" }
`;
const NAMED = `${PROVIDERS}
models:
  qwen: { provider: gpu, upstream_model: qwen3-32b }
  mini: { provider: ext }
pools:
  both: { members: [{ model: qwen, weight: 3 }, { model: mini, priority: 1 }] }
  secret: { privacy: private, stream_failure: abort, members: [{ model: qwen }, { model: mini }] }
`;
const RULES = `${NAMED}
routing:
  default_provider: gpu
  rules:
    - { condition: "model starts_with 'gpt'", target_provider: ext }
    - { condition: "model contains 'gpt'", target_provider: gpu }
`;
const ANYBODY = { allow: undefined };

function ask(yaml: string, model: string, allow?: readonly string[]): Target | Rejection {
  return findTarget(buildRoutes(configOf(yaml)), { model, key: { allow } });
}
function target(yaml: string, model: string): Target {
  const found = ask(yaml, model);
  if (found instanceof Rejection) throw new Error(found.reason.kind);
  return found;
}
const backends = (pool: Target["private"] | Target["shareable"]) =>
  pool.lanes.map(({ backend }) => backend.name);

describe("a configured name", () => {
  test("of a model is its one lane", () => {
    const found = target(NAMED, "qwen");
    expect(found).toMatchObject({ kind: "model", label: "qwen", privacy: undefined });
    expect(found.shareable.lanes).toMatchObject([{ model: "qwen", upstreamModel: "qwen3-32b" }]);
  });
  test("of a pool is all its lanes, and what the pool says of its requests", () => {
    expect(backends(target(NAMED, "both").shareable)).toEqual(["gpu", "ext"]);
    expect(target(NAMED, "both")).toMatchObject({ privacy: undefined, streamFailure: undefined });
    expect(target(NAMED, "secret")).toMatchObject({
      ...{ kind: "pool", label: "secret", privacy: "private", streamFailure: "abort" },
    });
  });
  test("goes before every rule and before the default", () => {
    const yaml = RULES.replace("'gpt'", "'qwen'");
    expect(target(yaml, "qwen")).toMatchObject({ kind: "model" });
  });
});

test("the private half of any target is the local lanes of the other half", () => {
  const routes = buildRoutes(configOf(RULES));
  const all = [
    ...routes.named.values(),
    ...routes.rules.map(({ target: each }) => each),
    routes.fallback!,
  ];
  expect(all).toHaveLength(7);
  for (const each of all) {
    const local = each.shareable.lanes.filter(({ backend }) => backend.placement === "local");
    expect(backends(each.private)).toEqual(local.map(({ backend }) => backend.name));
    expect([each.private.privacy, each.shareable.privacy]).toEqual(["private", "shareable"]);
  }
});

describe("a name nobody configured", () => {
  test("goes by the first rule that fits it, in the order of the file", () => {
    expect(backends(target(RULES, "gpt-4o").shareable)).toEqual(["ext"]);
    expect(backends(target(RULES, "my-gpt").shareable)).toEqual(["gpu"]);
    expect(target(RULES, "my-gpt")).toMatchObject({ kind: "rule" });
  });
  test("keeps its name upstream", () => {
    expect(target(RULES, "gpt-4o").shareable.lanes).toMatchObject([{ upstreamModel: undefined }]);
  });
  test("goes to the default when no rule fits, and nowhere when there is none", () => {
    expect(target(RULES, "llama")).toMatchObject({ kind: "default" });
    expect(backends(target(RULES, "llama").shareable)).toEqual(["gpu"]);
    expect(ask(NAMED, "llama")).toMatchObject({
      reason: { kind: "model_not_found", model: "llama" },
    });
  });
  test("is never a label, whatever it is", () => {
    const routes = buildRoutes(configOf(RULES));
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString")),
        (model) => {
          fc.pre(!routes.named.has(model));
          const found = findTarget(routes, { model, key: ANYBODY }) as Target;
          expect(found.label).toBe(OTHER_MODEL);
          for (const { model: label } of found.shareable.lanes) expect(label).toBe(OTHER_MODEL);
        },
      ),
    );
  });
});

test("rules are asked lowest number first, as the proof of privacy and the file have it", () => {
  const rules = fc.array(
    fc.record({
      condition: fc.constantFrom(
        "model starts_with 'a'",
        "model contains 'b'",
        "model ends_with 'b'",
      ),
      target_provider: fc.constantFrom("gpu", "ext"),
      priority: fc.nat(2),
    }),
  );
  const model = fc.constantFrom("a", "b", "ab", "ba", "c");
  fc.assert(
    fc.property(rules, model, (given, asked) => {
      const routing = { default_provider: "gpu", rules: given };
      const config = configOf(`${PROVIDERS}\nrouting: ${JSON.stringify(routing)}`);
      const found = findTarget(buildRoutes(config), { model: asked, key: ANYBODY }) as Target;
      const explained = lanesFor(config, asked).map(({ backend }) => backend.name);
      expect(backends(found.shareable)).toEqual(explained);
    }),
  );
});

test("a key gets no name it was not granted, by whatever way the name would go", () => {
  const routes = buildRoutes(configOf(RULES));
  const model = fc.constantFrom("qwen", "mini", "both", "secret", "gpt-4o", "llama", "");
  fc.assert(
    fc.property(model, fc.array(model), (asked, allow) => {
      const found = findTarget(routes, { model: asked, key: { allow } });
      if (allow.includes(asked)) expect(found).not.toBeInstanceOf(Rejection);
      else expect(found).toMatchObject({ reason: { kind: "forbidden_model", model: asked } });
    }),
  );
});

test("a condition means here what it means to everybody who explains a route", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 });
  const condition: fc.Arbitrary<ModelCondition> = fc.record({
    test: fc.constantFrom("starts_with", "ends_with", "contains", "equals"),
    value: word,
  });
  const slow = ({ test: how, value }: ModelCondition, model: string): boolean =>
    ({
      starts_with: model.slice(0, value.length) === value,
      ends_with: model.slice(model.length - value.length) === value && model.length >= value.length,
      contains: model.split(value).length > 1 || value === "",
      equals: [...model].join() === [...value].join(),
    })[how];
  fc.assert(
    fc.property(condition, word, (given, model) => {
      expect(matches(given, model)).toBe(slow(given, model));
      expect(meetsCondition(given, model)).toBe(matches(given, model));
    }),
  );
});
