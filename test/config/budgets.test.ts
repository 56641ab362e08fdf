import { describe, expect, test } from "bun:test";
import { resolve } from "../../src/config/resolve.ts";

const BASE = `
providers: { vllm: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" } }
models: { m: { provider: vllm } }
`;

function errorsOf(text: string): readonly string[] {
  const resolved = resolve(BASE + text, { path: "test.yaml", env: {} });
  return resolved.ok ? [] : resolved.errors.map(({ path, reason }) => `${path}: ${reason}`);
}
function budgetsOf(text: string) {
  const resolved = resolve(BASE + text, { path: "test.yaml", env: {} });
  return resolved.ok ? resolved.config.budgets : resolved.errors;
}

const KEY = "key: 0123456789abcdef0123";

describe("a budget of no amount is refused, for it would limit nothing", () => {
  test.each([
    [`keys: { app: { ${KEY}, budget: { period: monthly } } }`, ["keys.app.budget"]],
    [`keys: { app: { ${KEY}, budget: { on_exhausted: hard_stop } } }`, ["keys.app.budget"]],
    [`tenants: { a: { budget: {} } }`, ["tenants.a.budget"]],
    [`signed_keys: { budget: { period: daily } }`, ["signed_keys.budget"]],
    [`keys: { app: { ${KEY}, budget: { tokens: 0 } } }`, []],
    [`keys: { app: { ${KEY}, budget: { usd: 1, period: daily } } }`, []],
    [`keys: { app: { ${KEY} } }`, []],
  ])("%s", (text, paths) => {
    const found = errorsOf(text).filter((error) => error.endsWith("limits nothing"));
    expect(found).toEqual(paths.map((path) => `${path}: limits nothing`));
  });
});

describe("alerts", () => {
  test.each([
    ["", [50, 80, 100]],
    ["budgets: { alerts: { at_percent: [90, 10, 90] } }", [10, 90]],
    ["budgets: { alerts: { enabled: false } }", []],
    ["budgets: { alerts: { enabled: false, at_percent: [5] } }", []],
  ])("%s", (text, percents) => {
    expect(budgetsOf(text)).toMatchObject({ alerts: { percents } });
  });

  test("a webhook keeps its query, and may be near in plain http", () => {
    for (const url of ["https://h.example/a?b=c&d", "http://127.0.0.1:9/x", "http://alerts:9/"]) {
      expect(budgetsOf(`budgets: { alerts: { webhook_url: "${url}" } }`)).toMatchObject({
        alerts: { webhook: { url: { href: url } } },
      });
    }
  });

  test.each([
    [`webhook_url: "http://8.8.8.8/"`, "budgets.alerts.webhook_url: plain http"],
    [`webhook_url: "ftp://h/"`, "budgets.alerts.webhook_url: is not an http or https URL"],
    [`webhook_url: "https://h/?a b"`, "budgets.alerts.webhook_url: has a space"],
    [`webhook_secret: "${"x".repeat(32)}"`, "budgets.alerts.webhook_secret: signs nothing"],
    [`webhook_url: "https://h/", webhook_secret: x`, "budgets.alerts.webhook_secret: is too short"],
    ["at_percent: [0]", "budgets.alerts.at_percent[0]: expected"],
  ])("{ %s } is refused", (text, error) => {
    expect(errorsOf(`budgets: { alerts: { ${text} } }`).join()).toStartWith(error);
  });
});
