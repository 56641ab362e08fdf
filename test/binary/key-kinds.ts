import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBinary, type Binary } from "./harness.ts";

/** Every way a key comes into being: in the file, in a tenant's section, stored, signed. */
export const KEY_KINDS = ["configured", "in a tenant", "stored", "signed"] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** Rights as the configuration spells them. */
export interface Rights {
  readonly allow?: readonly string[];
  readonly zones?: readonly string[];
  readonly privacy?: "private";
  readonly requests_per_minute?: number;
  readonly tokens_per_minute?: number;
  readonly max_concurrent?: number;
  readonly budget?: { readonly tokens: number; readonly period: string };
  /** A past day in the file, a second from its making in the store; signed keys have none. */
  readonly expires?: "soon" | undefined;
  /** Its tenant, one of `tenants`; signed keys need one. */
  readonly tenant?: string;
}

export interface KeysRig extends AsyncDisposable {
  readonly binary: Binary;
  /** The text of each key by its name. */
  readonly keys: Readonly<Record<string, string>>;
  /** Runs a command of the binary on the same state. */
  run(...args: readonly string[]): Promise<string>;
}

export interface KeysRigOptions {
  readonly config: object;
  readonly kind: KeyKind;
  readonly rights: Readonly<Record<string, Rights>>;
  /** Sections of tenants that keys name; signed keys without one get a tenant each. */
  readonly tenants?: Readonly<Record<string, TenantSection>>;
  /** Tenants that signed keys are made for and the configuration does not have. */
  readonly without?: readonly string[];
  /** More of `signed_keys`. */
  readonly ring?: object;
}

/** A tenant's section, as far as it is looked into. */
export interface TenantSection {
  readonly tenant_id?: number;
  readonly [field: string]: unknown;
}

const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");

/** A gateway with keys of one kind. */
export async function startWithKeys(options: KeysRigOptions): Promise<KeysRig> {
  const state = mkdtempSync(join(tmpdir(), "interlock-kinds-"));
  const env = { INTERLOCK_STATE_DIR: state, PATH: "/usr/bin:/bin", HOME: state };
  async function run(...args: readonly string[]): Promise<string> {
    const child = Bun.spawn([program, ...args], { env, stderr: "pipe" });
    const [out, error, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`interlock ${args.join(" ")}: ${error}`);
    return out.trim();
  }
  const { sections, keys } = await makeKeys(options, { run, state });
  const config = { ...options.config, ...sections };
  const binary = await startBinary({ config, env: { INTERLOCK_STATE_DIR: state } });
  return {
    ...{ binary, keys, run },
    async [Symbol.asyncDispose]() {
      await binary[Symbol.asyncDispose]();
      rmSync(state, { recursive: true, force: true });
    },
  };
}

interface Making {
  readonly run: (...args: readonly string[]) => Promise<string>;
  readonly state: string;
}
interface Made {
  readonly sections: object;
  readonly keys: Readonly<Record<string, string>>;
}

async function makeKeys(options: KeysRigOptions, making: Making): Promise<Made> {
  switch (options.kind) {
    case "configured":
      return configured(options);
    case "in a tenant":
      return inTenants(options);
    case "stored":
      return await stored(options, making);
    case "signed":
      return await signed(options, making);
  }
}

const textOf = (name: string): string => `key-of-${name}-0123456789abcdef`;
const inFile = ({ expires, ...rest }: Rights): object => ({
  ...rest,
  ...(expires && { expires: "2020-01-01" }),
});

function configured({ rights, tenants }: KeysRigOptions): Made {
  const keys = Object.fromEntries(Object.keys(rights).map((name) => [name, textOf(name)]));
  const entries = Object.entries(rights).map(([name, each]) => [
    name,
    { key: textOf(name), ...inFile(each) },
  ]);
  return { keys, sections: { keys: Object.fromEntries(entries), tenants } };
}

function inTenants({ rights, tenants = {} }: KeysRigOptions): Made {
  const keys = Object.fromEntries(Object.keys(rights).map((name) => [name, textOf(name)]));
  const own: Record<string, Record<string, object>> = {};
  for (const [name, { tenant = "everybody", ...rest }] of Object.entries(rights)) {
    (own[tenant] ??= {})[name] = { key: textOf(name), ...inFile(rest) };
  }
  const names = new Set([...Object.keys(tenants), ...Object.keys(own)]);
  const entries = [...names].map((id) => [id, { ...tenants[id], keys: own[id] ?? {} }]);
  return { keys, sections: { tenants: Object.fromEntries(entries) } };
}

async function stored({ rights, tenants }: KeysRigOptions, { run }: Making): Promise<Made> {
  const keys: Record<string, string> = {};
  for (const [name, each] of Object.entries(rights)) {
    keys[name] = await run("key", "create", "--name", name, ...optionsOf(each));
  }
  return { keys, sections: { tenants } };
}

/** Rights as `interlock key create` spells them. */
function optionsOf(rights: Rights): readonly string[] {
  const { allow, zones, privacy, budget, expires, tenant } = rights;
  const said: readonly (readonly [string, string | number | undefined])[] = [
    ["--allow", allow?.join(",")],
    ["--zones", zones?.join(",")],
    ["--privacy", privacy],
    ["--rpm", rights.requests_per_minute],
    ["--tpm", rights.tokens_per_minute],
    ["--concurrency", rights.max_concurrent],
    ["--budget-tokens", budget?.tokens],
    ["--budget-period", budget?.period],
    ["--expires", expires && "1s"],
    ["--tenant", tenant],
  ];
  return said.flatMap(([option, value]) => (value === undefined ? [] : [option, String(value)]));
}

async function signed(options: KeysRigOptions, { run, state }: Making): Promise<Made> {
  const { rights, tenants = {}, without = [], ring } = options;
  const seed = join(state, "seed");
  const pair = JSON.parse(await run("key", "pair", "--private-key", seed, "--json")) as {
    readonly public_key: string;
  };
  const mint = (tenant: number, vpc: number): Promise<string> =>
    run(
      ...["key", "mint", "--kid", "1", "--private-key", seed],
      ...["--tenant", String(tenant), "--vpc", String(vpc)],
    );
  const entries: Record<string, object> = { ...tenants };
  const keys: Record<string, string> = {};
  for (const [at, [name, { tenant, expires: _, ...rest }]] of Object.entries(rights).entries()) {
    const number = tenant === undefined ? 1000 + at : tenants[tenant]?.tenant_id;
    if (number === undefined) throw new Error(`${tenant} has no number`);
    if (tenant === undefined) entries[name] = { tenant_id: number, ...rest };
    keys[name] = await mint(number, at);
  }
  for (const id of without) delete entries[id];
  const signed_keys = { public_keys: [{ kid: 1, key: pair.public_key }], ...ring };
  return { keys, sections: { tenants: entries, signed_keys } };
}
