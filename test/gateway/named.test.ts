import { expect, test } from "bun:test";
import { Rejection } from "../../src/core/rejection.ts";
import type { Gateway } from "../../src/gateway/assemble.ts";
import { findCallFor } from "../../src/gateway/named.ts";
import type { Routes } from "../../src/router/routes.ts";

const ROUTES = { providers: new Map(), named: new Map() } as unknown as Routes;

test.each([
  ["/", "/nope"],
  ["/v1/nope", "/nope/v1/nope"],
])("a path that nobody answers is named as it was asked for: rest %s", (rest, path) => {
  const route = { kind: "named", name: "nope", rest, query: "", dialect: "openai" } as const;
  const found = findCallFor({} as Gateway, route, { method: "GET", routes: ROUTES });
  expect(found).toBeInstanceOf(Rejection);
  expect((found as Rejection).reason).toEqual({ kind: "not_found", path });
});
