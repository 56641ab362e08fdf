import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Capabilities } from "../../../src/core/capabilities.ts";
import type { DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { WIRE_PATHS } from "../../../src/protocol/translate/prepare/wire-paths.ts";
import { dialectId, irRequest, wildRequest } from "../ir-arbitraries.ts";
import { OWN, outcomeOf } from "./preparing.ts";
import { brokenRules } from "./vendor-rules.ts";

/** A model family or a host that refuses what its protocol takes. */
const poorer: fc.Arbitrary<Partial<Capabilities>> = fc.constantFrom<Partial<Capabilities>>(
  {},
  { systemInList: false, developerRole: false, messageNames: false, prefill: false },
  { temperatureMax: 0, topP: false, topK: false, outputCapMax: 1500, stopMax: 0 },
  { reasoning: "none", jsonSchema: false, jsonMode: false, strictTools: false },
  { reasoning: "adaptive", efforts: ["low", "medium", "high"], thinkingBarsKnobs: true },
  { reasoning: "effort", efforts: ["minimal", "high"] },
  { reasoning: "budget", thinkingBarsKnobs: true, outputCapMax: 8000 },
  { toolIdPattern: "[a-zA-Z0-9]{9}", freeformTools: false, mediaUrls: false, media: ["image"] },
  { cacheMarks: "none", cacheTtls: [], toolIds: false, resultMedia: [], alternation: true },
  { family: "other", proofSlot: "details", refusesEmptyText: true, schemas: "openapi" },
);

const pair = fc
  .record({ request: irRequest, target: dialectId, change: poorer })
  .filter(({ request, target }) => request.origin !== target);

describe("prepare", () => {
  test("never throws, whatever stands where", () => {
    fc.assert(
      fc.property(wildRequest, dialectId, poorer, (request, target, change) => {
        outcomeOf(request, { target, change });
      }),
    );
  });

  test("changes nothing the second time", () => {
    fc.assert(
      fc.property(pair, ({ request, target, change }) => {
        const { prepared, losses } = outcomeOf(request, { target, change });
        if (prepared instanceof Rejection) return;
        // A mark that keeps system blocks apart may itself be one too many.
        if (losses.some(({ code }) => code === "L-CACHE")) return;
        if (isInstructed(prepared.request.messages[0]) && hasLateSystem(request)) return;
        const again = outcomeOf(prepared.request, { target, change }).prepared;
        if (again instanceof Rejection) throw new Error(JSON.stringify(again.reason));
        expect(plain(again.request)).toEqual(plain(prepared.request));
      }),
    );
  });

  test("carries every text or reports where it stood", () => {
    fc.assert(
      fc.property(pair, ({ request, target, change }) => {
        const { prepared, losses } = outcomeOf(request, { target, change });
        if (prepared instanceof Rejection) return;
        const written = JSON.stringify([prepared.request, prepared.cutAt], decoded);
        const silent = leavesOf(request).filter(
          ({ id, path }) =>
            !written.includes(id) && !losses.some((loss) => covers(loss, path, request.origin)),
        );
        expect(silent).toEqual([]);
      }),
    );
  });

  test("reports known codes and paths only", () => {
    fc.assert(
      fc.property(pair, ({ request, target, change }) => {
        for (const { path } of outcomeOf(request, { target, change }).losses)
          expect(path).not.toBe("");
      }),
    );
  });

  test("keeps the rules of every vendor", () => {
    fc.assert(
      fc.property(pair, ({ request, target, change }) => {
        const { prepared } = outcomeOf(request, { target, change });
        if (prepared instanceof Rejection) return;
        expect(brokenRules(prepared.request, { ...OWN[target], ...change })).toEqual([]);
      }),
    );
  });

  test("leaves the caller's request as it was", () => {
    fc.assert(
      fc.property(pair, ({ request, target, change }) => {
        const before = JSON.stringify(request);
        outcomeOf(request, { target, change });
        expect(JSON.stringify(request)).toBe(before);
      }),
    );
  });
});

/** A message in the middle comes first when all before it was lost; it stays where it is. */
function hasLateSystem({ messages }: IrRequest): boolean {
  return messages.some((each, index) => isInstructed(each) && !isInstructed(messages[index - 1]));
}

function isInstructed(message: IrRequest["messages"][number] | undefined): boolean {
  return message?.role === "system" || message?.role === "developer";
}

function plain(request: IrRequest): unknown {
  return JSON.parse(JSON.stringify(request));
}

/** Text that went into the data of a document stays text to us. */
function decoded(name: string, value: unknown): unknown {
  return name === "data" && typeof value === "string"
    ? [value, Buffer.from(value, "base64").toString()]
    : value;
}

interface Leaf {
  readonly id: string;
  readonly path: string;
}

/** Numbered texts, each with the wire's path of what it stands in. */
function leavesOf(request: IrRequest): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const paths = WIRE_PATHS[request.origin];
  const scalar: Readonly<Record<string, string>> = { ...paths, ext: "odd_word" };
  const walk = (value: unknown, path: string): void => {
    if (typeof value === "string") {
      const [id] = /¤\d+¤/.exec(value) ?? [];
      if (id !== undefined) leaves.push({ id, path });
    } else if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) walk(each, `${path}[${index}]`);
    } else if (typeof value === "object" && value !== null) {
      for (const [name, each] of Object.entries(value)) {
        const own = path === "" ? (scalar[name] ?? name) : `${path}.${name}`;
        const kept = ["system", "messages", "tools", "documents"].includes(name) && path === "";
        if (name !== "at") walk(each, kept ? name : own);
      }
    }
  };
  walk(request, "");
  return leaves;
}

function covers({ path: lost }: Loss, path: string, origin: DialectId): boolean {
  const { tools, messages } = WIRE_PATHS[origin];
  // The lists themselves go by the representation's names here, as the nodes in them do.
  const own = lost === tools ? "tools" : lost === messages ? "messages" : lost;
  if (!path.startsWith(own)) return false;
  return path.length === own.length || ".[".includes(path[own.length]!);
}
