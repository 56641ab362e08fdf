import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Faultd } from "../faultd/faultd.ts";
import { chatBody, configFor } from "./config.ts";
import { eventually, type Fleet, startFleet } from "./fleet.ts";

/** All the workers of the suites' gateways. */
export const WORKERS = 2;
/** Enough new connections that each worker gets some. */
const ASKED = 16;

/** A signing key, and what it signs. */
export interface Signer extends Disposable {
  readonly publicKey: string;
  mint(tenant: number): Promise<string>;
}

const binary = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");

export async function newSigner(): Promise<Signer> {
  const home = mkdtempSync(join(tmpdir(), "interlock-signer-"));
  const seed = join(home, "seed");
  const run = async (...args: readonly string[]): Promise<string> => {
    const env = { HOME: home, PATH: "/usr/bin:/bin" };
    const child = Bun.spawn([binary, "key", ...args], { env, stderr: "pipe" });
    return (await new Response(child.stdout).text()).trim();
  };
  const pair = await run("pair", "--private-key", seed, "--json");
  const { public_key: publicKey } = JSON.parse(pair) as { public_key: string };
  const tenant = (number: number) => ["--tenant", String(number), "--vpc", "0"];
  return {
    publicKey,
    mint: (number) => run("mint", "--kid", "1", ...tenant(number), "--private-key", seed),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

export interface DenyGateway {
  readonly upstream: Faultd;
  readonly signer: Signer;
  readonly deny: object;
  readonly state: string;
  readonly workers?: number;
  /** The data port, where it must be the same again. */
  readonly port?: number;
}

/** A gateway that takes signed keys, and a key of its own file that is none. */
export function startDenying(options: DenyGateway): Promise<Fleet> {
  const { upstream, signer, deny, state, workers = WORKERS, port } = options;
  const config = {
    ...configFor({ upstream, models: ["m"] }),
    keys: { plain: { key: PLAIN } },
    signed_keys: { public_keys: [{ kid: 1, key: signer.publicKey }], deny },
  };
  return startFleet({ config, workers, port, env: { INTERLOCK_STATE_DIR: state } });
}

export const PLAIN = "sk-plain-0123456789abcdef0123456789abcdef";

export async function ask({ origin }: Pick<Fleet, "origin">, key: string): Promise<number> {
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    keepalive: false,
    headers: {
      "content-type": "application/json",
      connection: "close",
      authorization: `Bearer ${key}`,
    },
    body: chatBody({ max_tokens: 5 }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** What a key gets, asked so often that every worker answered: one status, or several. */
export async function answersTo(fleet: Fleet, key: string): Promise<readonly number[]> {
  const answers = await Promise.all(Array.from({ length: ASKED }, () => ask(fleet, key)));
  return [...new Set(answers)];
}

/** Every worker comes to say so. */
export async function eventuallyAll(fleet: Fleet, key: string, status: number): Promise<void> {
  await eventually(`${status}`, async () => {
    const answers = await answersTo(fleet, key);
    return answers.length === 1 && answers[0] === status;
  });
}

/** The value of one sample of `/metrics`. */
export async function sample(fleet: Fleet, name: string): Promise<number | undefined> {
  const line = (await fleet.metrics()).split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}
