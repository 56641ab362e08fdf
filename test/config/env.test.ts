import { expect, test } from "bun:test";
import fc from "fast-check";
import { readOverrides, variablesNotActive } from "../../src/config/env.ts";
import { noFindings } from "../../src/config/findings.ts";

function level(env: Record<string, string>) {
  const findings = noFindings();
  const { logLevel } = readOverrides(env, {}, findings);
  return { level: logLevel?.value, by: logLevel?.by, findings };
}

test.each([
  ["info", "info"],
  ["INFO", "info"],
  ["debug,hyper=info", "debug"],
  ["info,gateway=debug", "info"],
  ["gateway=warn,info", "warn"],
  ["gateway::relay=error", "error"],
  ["trace", "debug"],
  [" warn ", "warn"],
] as const)("the log level of %p is %s", (text, expected) => {
  expect(level({ INTERLOCK_LOG: text }).level).toBe(expected);
  expect(level({ RUST_LOG: text }).level).toBe(expected);
});

test("our own variable goes before RUST_LOG, and only ours must make sense", () => {
  expect(level({ INTERLOCK_LOG: "warn", RUST_LOG: "debug" })).toMatchObject({
    level: "warn",
    by: "INTERLOCK_LOG",
  });
  expect(level({ INTERLOCK_LOG: "loud" }).findings.errors).toMatchObject([
    { path: "INTERLOCK_LOG" },
  ]);
  const { findings } = level({ RUST_LOG: "my_crate" });
  expect([findings.errors.length, findings.warnings.length]).toEqual([0, 1]);
});

test("a variable that is set to nothing is not set", () => {
  const findings = noFindings();
  const overrides = readOverrides({ SERVER_HOST: "", SERVER_PORT: "", RUST_LOG: "" }, {}, findings);
  expect(Object.values(overrides)).toEqual(Array(5).fill(undefined));
  expect(findings).toEqual(noFindings());
});

test("a port is a port in whatever text it comes, or an error that does not repeat the text", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer({ min: -9, max: 70_000 }).map(String)), (text) => {
      const findings = noFindings();
      const { port } = readOverrides({}, { port: text }, findings);
      const number = /^\+?\d+(\.0+)?$/.test(text) ? Number(text) : NaN;
      const valid = Number.isInteger(number) && number >= 0 && number <= 65_535;
      if (valid && text.length < 12) expect(port?.value).toBe(number);
      expect(port === undefined).toBe(findings.errors.length === 1);
      if (text.length > 5)
        expect(JSON.stringify(findings.errors)).not.toContain(JSON.stringify(text));
    }),
  );
});

test("variables of services that come later are named, unless the file uses them", () => {
  const env = { SECRETS_ENCRYPTION_KEY: "x", REDIS_URL: "y", OTEL_SERVICE_NAME: "", OTHER: "z" };
  expect(variablesNotActive(env, new Map())).toEqual([
    "REDIS_URL (environment)",
    "SECRETS_ENCRYPTION_KEY (environment)",
  ]);
  const used = new Map([["security.secrets.encryption_key", "${SECRETS_ENCRYPTION_KEY}"]]);
  expect(variablesNotActive(env, used)).toEqual(["REDIS_URL (environment)"]);
});
