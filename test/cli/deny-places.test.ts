import { describe, expect, test } from "bun:test";
import { denyPlaces, denyProblem } from "../../src/cli/deny-places.ts";
import type { Config, DenyConfig } from "../../src/config/config.ts";
import { Secret } from "../../src/core/secret.ts";

const NONE: DenyConfig = {
  ...{ file: undefined, nats: undefined, postgres: undefined, snapshot: undefined },
  stalenessMaxMs: 900_000,
};
const nats = (url: string, bucket = "b") => ({ ...NONE, nats: { url: new Secret(url), bucket } });
const ALONE = { databaseUrl: undefined, isNamed: false };
const ROOT = { directory: "/s", port: 8080, state: ALONE };

function pathOf(deny: DenyConfig, root = ROOT): string | undefined {
  return denyPlaces(deny, root).find(({ name }) => name !== "admin")?.path;
}

describe("what a server said is kept in a log of its own", () => {
  test("another server, bucket or data port is another log, a new password is not", () => {
    const path = pathOf(nats("nats://a:1"));
    expect(path).toStartWith("/s/denied/8080/nats-");
    expect(pathOf(nats("nats://user:new@a:1"))).toBe(path!);
    const others = [
      pathOf(nats("nats://b:1")),
      pathOf(nats("nats://a:2")),
      pathOf(nats("nats://a:1", "c")),
      pathOf(nats("nats://a:1"), { ...ROOT, port: 8081 }),
    ];
    expect(new Set([path, ...others]).size).toBe(5);
  });

  test("snapshot says where, and is needed where there is no state directory", () => {
    const deny = { ...nats("nats://a:1"), snapshot: "/snap" };
    expect(pathOf(deny)).toStartWith("/snap/8080/nats-");
    const problem = (own: DenyConfig, directory?: string) =>
      denyProblem({ signedKeys: { deny: own } } as Config, directory);
    expect(problem(deny)).toBeUndefined();
    expect(problem(nats("nats://a:1"), "/s")).toBeUndefined();
    expect(problem(nats("nats://a:1"))).toContain("INTERLOCK_STATE_DIR");
    expect(problem(NONE)).toBeUndefined();
  });
});

describe("denials made by hand", () => {
  const databaseUrl = new Secret("postgres://u:p@db/one");
  const place = (state: typeof ROOT.state | { databaseUrl: Secret; isNamed: boolean }) =>
    denyPlaces(NONE, { ...ROOT, state }).map(({ local, path }) => [local, path]);

  test("are this node's own, and never behind", () => {
    expect(place(ALONE)).toEqual([[true, "/s/denied/8080/admin.log"]]);
  });

  test("are behind with the database that somebody named, and with no other", () => {
    const path = expect.stringMatching(/^\/s\/denied\/8080\/admin-\w{8}\.log$/);
    expect(place({ databaseUrl, isNamed: true })).toEqual([[false, path]]);
    expect(place({ databaseUrl, isNamed: false })).toEqual([[true, path]]);
  });
});
