import { expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { printConfig } from "../../src/config/print.ts";
import { resolve } from "../../src/config/resolve.ts";

/** Recognisable in any text, also in parts. */
const SECRETS = {
  VENDOR: "SECRETvendor0123456789",
  OPENAI_API_KEY: "SECRETopenai0123456789",
  APP_KEY: "SECRETapp0123456789abc",
  OTHER_KEY: "SECRETother0123456789a",
  PROXY: "http://SECRETuser:SECRETpass@proxy.example.com:3128",
};

const means = fc.constantFrom("billing", "rate_limit", "context_length");
const word = fc.constantFrom("1113", "e_full", "429");
const errors = {
  error_map: fc.dictionary(word, means, { maxKeys: 2 }),
  error_rules: fc.array(
    fc.oneof(
      fc.record({ status: fc.constantFrom(400, 503), message: word, means }),
      fc.record({ code: word, means }),
      fc.record({ type: word, means }),
    ),
    { maxLength: 2 },
  ),
};
const seconds = fc.integer({ min: 1, max: 86_400 });
const timeout = fc.record(
  {
    connect_seconds: seconds,
    request_seconds: seconds,
    stall_seconds: seconds,
    streaming_seconds: seconds,
  },
  { requiredKeys: [] },
);
const local = fc.record(
  {
    protocol: fc.constantFrom("openai", "anthropic", "gemini", "cohere"),
    base_url: fc.constantFrom(
      "http://127.0.0.1:8000/v1/",
      "http://[::1]:1",
      "http://10.0.0.1/x",
      "http://gpu:8000/v1",
    ),
    placement: fc.constant("local"),
    api_key: fc.constantFrom("${VENDOR}", "SECRETliteral0123456789"),
    auth: fc.constantFrom("bearer", "x-api-key", "api-key", "x-goog-api-key"),
    operator_controlled: fc.boolean(),
    unix: fc.constant("/run/x.sock"),
    terminal: fc.constantFrom("done", "finish"),
    timeout,
    ...errors,
  },
  { requiredKeys: ["protocol", "base_url", "placement"] },
);
const vendor = fc.record(
  {
    api_key_env: fc.constant("VENDOR"),
    proxy: fc.constantFrom("${PROXY}", SECRETS.PROXY),
    timeout,
    ...errors,
  },
  { requiredKeys: [] },
);
const streamFailure = fc.constantFrom("surface", "graceful", "abort");
const member = fc.record(
  {
    model: fc.constantFrom("m1", "m2"),
    priority: fc.nat(9),
    weight: fc.integer({ min: 1, max: 9 }),
    context_max: seconds,
  },
  { requiredKeys: ["model"] },
);
const key = fc.record(
  {
    privacy: fc.constantFrom("private", "shareable"),
    allow: fc.subarray(["m1", "p"], { minLength: 1 }),
    stream_failure: streamFailure,
  },
  { requiredKeys: [] },
);
const file = fc.record(
  {
    server: fc.record(
      {
        host: fc.constantFrom("localhost", "::1"),
        port: fc.integer({ min: 1, max: 9000 }),
        drain_seconds: seconds,
        timeout_seconds: seconds,
      },
      { requiredKeys: [] },
    ),
    privacy: fc.record({ default: fc.constantFrom("private", "shareable") }, { requiredKeys: [] }),
    providers: fc.record({ "mine.v1": local, openai: vendor }),
    models: fc.record({
      m1: fc.record(
        {
          provider: fc.constant("mine.v1"),
          upstream_model: fc.constantFrom("a/b", "1", "true", "x: y"),
        },
        { requiredKeys: ["provider"] },
      ),
      m2: fc.record(
        { provider: fc.constant("openai"), context_max: seconds },
        { requiredKeys: ["provider"] },
      ),
    }),
    pools: fc.record({
      p: fc.record(
        {
          members: fc.array(member, { minLength: 1, maxLength: 3 }),
          privacy: fc.constant("private"),
          stream_failure: streamFailure,
        },
        { requiredKeys: ["members"] },
      ),
    }),
    keys: fc.record({
      "app.one": key.map((each) => ({ ...each, key: "${APP_KEY}" })),
      other: key.map((each) => ({ ...each, key_env: "OTHER_KEY" })),
    }),
    routing: fc.record(
      {
        default_provider: fc.constantFrom("mine.v1", "openai"),
        fallback_enabled: fc.boolean(),
        rules: fc.array(
          fc.record(
            {
              name: fc
                .string({ minLength: 1 })
                .filter((name) => name.trim() !== "" && !name.includes("${")),
              condition: fc.constantFrom("model contains 'it''s'", 'model == "x"'),
              target_provider: fc.constant("mine.v1"),
              priority: fc.nat(3),
            },
            { requiredKeys: ["condition", "target_provider"] },
          ),
          { maxLength: 3 },
        ),
      },
      { requiredKeys: [] },
    ),
    resilience: fc.record(
      {
        timeout,
        retry: fc.record({ max_attempts: fc.integer({ min: 1, max: 9 }) }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    ),
    relay: fc.record(
      { heartbeat_seconds: fc.nat(60), max_buffer_bytes: fc.integer({ min: 1024, max: 99_999 }) },
      { requiredKeys: [] },
    ),
    metering: fc.record({ include_usage: fc.constantFrom("inject", "off") }, { requiredKeys: [] }),
    stream_failure: streamFailure,
    stealth: fc.boolean(),
    security: fc.record(
      {
        headers: fc.record({ allowed_hosts: fc.constant(["api.example.com"]) }),
        validation: fc.record({ max_depth: fc.integer({ min: 1, max: 99 }) }),
      },
      { requiredKeys: [] },
    ),
    telemetry: fc.record(
      {
        logging: fc.record({ level: fc.constantFrom("warn", "trace") }),
        metrics: fc.record({ enabled: fc.boolean() }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["providers", "models", "pools"] },
);

function printed(text: string): string {
  const resolved = resolve(text, { path: "test.yaml", env: SECRETS });
  if (!resolved.ok) throw new Error(JSON.stringify([resolved.errors, text], null, 1));
  return stringify(printConfig(resolved.config, resolved));
}

test("what is printed loads again, and then prints the same", () => {
  fc.assert(
    fc.property(file, (tree) => {
      const once = printed(stringify(tree));
      expect(printed(once)).toBe(once);
    }),
    { numRuns: 200 },
  );
}, 60_000);

test("no secret is in what is printed, nor in any error or warning about it", () => {
  const breakage = fc.constantFrom(
    "",
    "\nserver: { prot: 1 }",
    "\nzzz: '${APP_KEY}'",
    "\nstealth: '${APP_KEY}'",
    "\nrelay: '${OTHER_KEY}'",
  );
  fc.assert(
    fc.property(file, breakage, (tree, extra) => {
      const text =
        stringify({ ...tree, server: undefined, stealth: undefined, relay: undefined }) + extra;
      const resolved = resolve(text, { path: "test.yaml", env: SECRETS });
      const said = resolved.ok
        ? [
            printConfig(resolved.config, resolved),
            resolved.config.warnings,
            Bun.inspect(resolved.config, { depth: 9 }),
          ]
        : [resolved.errors, resolved.warnings];
      // A proxy's URL is kept whole in the configuration, for it must be dialled.
      expect(
        JSON.stringify(said).replaceAll(/href: [^,]*|username: [^,]*|password: [^,]*/g, ""),
      ).not.toContain("SECRET");
    }),
    { numRuns: 200 },
  );
}, 30_000);

test("a secret that is only partly in a variable is printed as a fingerprint, not as half a secret", () => {
  const text = "providers: { ollama: }\nkeys: { a: { key: 'SECREThalf-${APP_KEY}' } }";
  expect(printed(text)).toMatch(/key: "\[secret sha256:[0-9a-f]{8}\]"/);
});
