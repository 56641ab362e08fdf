import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seeded } from "../faultd/pieces.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { frozenLink } from "../state/keys/frozen-link.ts";
import { SEED } from "./cut-cases.ts";
import { answersTo, ask, newSigner, type Signer, startDenying } from "./denials.ts";
import { eventually } from "./fleet.ts";
import { isFull } from "./harness.ts";
import { haveNats, needsNats, startNats } from "./nats-server.ts";

const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
let signer: Signer;
const folders: string[] = [];
beforeAll(async () => void (signer = await newSigner()));
afterAll(() => {
  upstream.stop();
  signer[Symbol.dispose]();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newState(): string {
  const folder = mkdtempSync(join(tmpdir(), "interlock-revocations-"));
  folders.push(folder);
  return folder;
}

const TENANTS = [1, 2, 3, 4, 5, 6];
const STATUS = { spend: 402, fraud: 403 } as const;
/** A connection that was refused for long is tried anew after as long. */
const HEALED_MS = 60_000;
/** Each of them may double that time. */
const CUTS_MAX = isFull ? 24 : 3;

describe.skipIf(!haveNats)(`denials of a NATS server${needsNats}`, () => {
  const seeds = Array.from({ length: isFull ? 20 : 1 }, (_, at) => SEED + at);
  test.each(seeds)(
    "are what the bucket says, whatever was cut off, killed or restarted meanwhile (seed %d)",
    async (seed) => {
      const next = seeded(seed);
      const roll = (most: number): number => Math.floor(next() * most);
      await using nats = await startNats();
      using link = frozenLink({ hostname: "127.0.0.1", port: Number(new URL(nats.url).port) });
      const deny = { nats: { url: `nats://127.0.0.1:${link.port}` } };
      await using fleet = await startDenying({ upstream, signer, deny, state: newState() });
      const keys = await Promise.all(TENANTS.map((tenant) => signer.mint(tenant)));
      const said = new Map<number, keyof typeof STATUS>();
      let isCut = false;
      let cuts = 0;
      const steps: (() => unknown)[] = [];
      for (let step = 0; step < 24; step++) {
        const tenant = TENANTS[roll(TENANTS.length)]!;
        const what = roll(10);
        if (what < 4) {
          const reason = roll(2) === 0 ? "spend" : "fraud";
          said.set(tenant, reason);
          steps.push(() => nats.put(`blackhole.${tenant}`, reason));
        } else if (what < 7) {
          said.delete(tenant);
          steps.push(() => nats.delete(`blackhole.${tenant}`));
        } else if (what < 9 && cuts < CUTS_MAX) {
          cuts++;
          isCut = !isCut;
          steps.push(isCut ? () => link.freeze() : () => link.thaw());
          steps.push(() => link.cut());
        } else {
          steps.push(() => fleet.run("restart"));
        }
      }
      for (const step of steps) await step();
      link.thaw();
      link.cut();
      const wanted = TENANTS.map((tenant) => {
        const reason = said.get(tenant);
        return [reason === undefined ? 200 : STATUS[reason]];
      });
      let found: unknown;
      const agrees = async (): Promise<boolean> => {
        found = await Promise.all(keys.map((key) => answersTo(fleet, key)));
        return Bun.deepEquals(found, wanted);
      };
      await eventually("the bucket's word", agrees, HEALED_MS).catch(() => {});
      expect(found).toEqual(wanted);
    },
    150_000,
  );

  test.skipIf(!isFull)(
    "are in force within a second, in every worker",
    async () => {
      await using nats = await startNats();
      const deny = { nats: { url: nats.url } };
      await using fleet = await startDenying({ upstream, signer, deny, state: newState() });
      const took: number[] = [];
      for (let round = 0; round < 200; round++) {
        const key = await signer.mint(1000 + round);
        expect(await ask(fleet, key)).toBe(200);
        await nats.put(`blackhole.${1000 + round}`, "fraud");
        const from = performance.now();
        for (let shut = 0; shut < 6;) shut = (await ask(fleet, key)) === 403 ? shut + 1 : 0;
        took.push(performance.now() - from);
      }
      took.sort((a, b) => a - b);
      const [median, most] = [took[100]!, took[198]!];
      console.log(`revocations: median ${median.toFixed(0)} ms, 99 % ${most.toFixed(0)} ms`);
      expect(most).toBeLessThan(1000);
    },
    300_000,
  );
});
