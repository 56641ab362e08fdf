import { expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { buildRoutes, findTarget, type Target } from "../../src/router/routes.ts";
import { configOf } from "../sim/gateway.ts";

const ZONES = ["local", "eu", "us"] as const;
const backend = fc.record({
  local: fc.boolean(),
  zone: fc.constantFrom("eu", "us", undefined),
});
const zones = fc.option(fc.subarray([...ZONES], { minLength: 1 }), { nil: undefined });

/** Whether a backend may be sent to, said once more in other words. */
function isAllowed(
  { local, zone }: { readonly local: boolean; readonly zone: string | undefined },
  lists: readonly (readonly string[] | undefined)[],
): boolean {
  const own = [...(local ? ["local"] : []), ...(zone === undefined ? [] : [zone])];
  return lists.every((list) => list === undefined || list.some((each) => own.includes(each)));
}

test("a key's and its tenant's zones leave the backends that are in both, and never add one", () => {
  const property = fc.property(
    fc.array(backend, { minLength: 1, maxLength: 5 }),
    fc.array(fc.record({ key: zones, tenant: zones }), { minLength: 1, maxLength: 4 }),
    (backends, wishes) => {
      const entries = backends.map(({ local, zone }, at) => {
        const base_url = local ? "http://127.0.0.1:8000/v1" : "https://ext.example/v1";
        return [`b${at}`, { protocol: "openai", base_url, zone }] as const;
      });
      const routes = buildRoutes(
        configOf(
          stringify({
            providers: Object.fromEntries(entries),
            models: Object.fromEntries(entries.map(([name]) => [`m-${name}`, { provider: name }])),
            pools: { p: { members: entries.map(([name]) => ({ model: `m-${name}` })) } },
          }),
        ),
      );
      for (const { key, tenant } of wishes) {
        const asker = { allow: undefined, zones: key, tenant: { zones: tenant } };
        const found = findTarget(routes, { model: "p", key: asker }) as Target;
        const kept = found.shareable.lanes.map((lane) => lane.backend.name);
        const wanted = entries.filter((_, at) => isAllowed(backends[at]!, [key, tenant]));
        expect(kept).toEqual(wanted.map(([name]) => name));
        const shut = found.private.lanes.map((lane) => lane.backend.name);
        expect(shut).toEqual(kept.filter((name) => backends[Number(name.slice(1))]!.local));
      }
    },
  );
  fc.assert(property);
});
