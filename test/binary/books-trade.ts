import { Database } from "bun:sqlite";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UNLIMITED } from "../../src/core/limits.ts";
import { mapSlab } from "../../src/cli/shared-slab.ts";
import { type BudgetLevel, peekBudget } from "../../src/state/slab/budget.ts";
import { holdOf } from "../../src/governor/held.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { Fleet } from "./fleet.ts";
import { type Fate, FATES, nameOf, type Sold, type Wire } from "./books-shop.ts";

export const KEYS = {
  openai: { id: "tok", secret: "sk-books-openai-0123456789" },
  anthropic: { id: "usd", secret: "sk-books-anthropic-0123456789" },
} as const satisfies Record<Wire, object>;
export const BUDGETS = {
  tok: { unit: "tokens", amount: 1_000_000_000_000, period: "total" },
  usd: { unit: "usd", amount: 1_000_000e9, period: "total" },
} as const;

/** How a request ended for the client that made it. */
export type Ending = "whole" | "refused" | "broken" | "left";

export interface Trade {
  /** Every request by its name. */
  readonly endings: ReadonlyMap<string, Ending>;
  /** Resolves when so many more have had an answer. */
  answered(more: number): Promise<void>;
  /** Asks for some that are held upstream. */
  hold(count: number): void;
  /** Waits for what runs, and sends no more. */
  stop(): Promise<void>;
}

/** Asks for one on a new connection: what a dead process leaves open is nobody's. */
export async function asked(port: number, order: Asked): Promise<Response> {
  const { id, wire, fate, signal } = order;
  const stream = isStreamed(fate);
  const said = { messages: [{ role: "user", content: id }], max_tokens: 400, stream };
  const isOpenai = wire === "openai";
  const path = isOpenai ? "chat/completions" : "messages";
  return fetch(`http://127.0.0.1:${port}/v1/${path}`, {
    method: "POST",
    keepalive: false,
    ...(signal && { signal }),
    headers: {
      "content-type": "application/json",
      "x-request-id": id,
      ...(isOpenai
        ? { authorization: `Bearer ${KEYS[wire].secret}` }
        : { "x-api-key": KEYS[wire].secret, "anthropic-version": "2023-06-01" }),
    },
    body: JSON.stringify({ ...said, model: isOpenai ? "m" : "claude" }),
  });
}

function isStreamed(fate: Fate): boolean {
  return fate === "stream" || fate === "held" || fate === "cut";
}

/** Clients that ask one after the other, whatever happens; nothing is asked twice. */
export function startTrade(port: () => number, chance: () => number, clients: number): Trade {
  const endings = new Map<string, Ending>();
  const waiting: { at: number; resolve: () => void }[] = [];
  const held = new Set<Promise<Ending>>();
  let number = 0;
  let answered = 0;
  let over = false;
  async function trade(wire: Wire, fate: Fate): Promise<Ending> {
    const id = nameOf(++number, { wire, fate });
    const ending = await ask(port(), { id, wire, fate }, chance);
    endings.set(id, ending);
    if (ending !== "broken") answered++;
    for (const waiter of waiting) if (answered >= waiter.at) waiter.resolve();
    return ending;
  }
  async function loop(): Promise<void> {
    while (!over) {
      const wire = chance() < 0.5 ? "openai" : "anthropic";
      const ending = await trade(wire, fateOf(chance(), wire));
      // Nobody may be there to answer: then asking at once again would only heat the machine.
      if (ending === "broken") await Bun.sleep(5);
    }
  }
  const loops = Array.from({ length: clients }, loop);
  return {
    endings,
    answered(more) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ at: answered + more, resolve });
      return promise;
    },
    hold(count) {
      for (let n = 0; n < count; n++) {
        const one = trade(n % 2 === 0 ? "openai" : "anthropic", "held");
        held.add(one);
        void one.then(() => held.delete(one));
      }
    },
    async stop() {
      over = true;
      await Promise.all([...loops, ...held]);
    },
  };
}

function fateOf(chance: number, wire: Wire): Fate {
  if (chance < 0.5) return "whole";
  if (chance < 0.8) return "stream";
  const rare = FATES.filter((fate) => fate !== "held" && (wire === "openai" || fate !== "mad"));
  return rare[Math.floor(((chance - 0.8) / 0.2) * rare.length)] ?? "whole";
}

export interface Asked {
  readonly id: string;
  readonly wire: Wire;
  readonly fate: Fate;
  readonly signal?: AbortSignal;
}

async function ask(port: number, order: Asked, chance: () => number): Promise<Ending> {
  const leaving = new AbortController();
  try {
    const answer = await asked(port, { ...order, signal: leaving.signal });
    if (order.fate === "stream" && chance() < 0.1) {
      leaving.abort();
      return "left";
    }
    const text = await answer.text();
    if (answer.status !== 200) return "refused";
    const end = order.wire === "openai" ? "data: [DONE]\n\n" : '"message_stop"}\n\n';
    return isStreamed(order.fate) && !text.endsWith(end) ? "broken" : "whole";
  } catch {
    return leaving.signal.aborted ? "left" : "broken"; // Its process is gone, or was not there.
  }
}

/** One fact as the ledger has it. */
export interface BookedFact extends Sold {
  readonly request: string;
  readonly key: string;
  readonly provenance: string;
  readonly nano: number;
  readonly attempts: number;
  /** How many of its attempts ended with their process. */
  readonly killed: number;
}

export function factsIn(state: string): readonly BookedFact[] {
  using db = new Database(join(state, "interlock.db"), { readonly: true });
  db.run("PRAGMA busy_timeout = 10000"); // A writer may be closing it at this moment.
  return db
    .query(
      `SELECT request_id AS request, key_id AS key, provenance, charged_nano AS nano,
        input_tokens AS input, output_tokens AS output, cache_read_tokens AS cacheRead,
        cache_write_tokens AS cacheWrite, cache_write_long_tokens AS cacheWriteLong,
        (SELECT count(*) FROM attempt_fact WHERE fact_id = usage_fact.id) AS attempts,
        (SELECT count(*) FROM attempt_fact WHERE fact_id = usage_fact.id AND fault = 'killed')
          AS killed
       FROM usage_fact`,
    )
    .all() as BookedFact[];
}

/** The budget of a key as it stands in the memory that the processes shared. */
export function cellOf(state: string, port: number, id: keyof typeof BUDGETS): BudgetLevel {
  const slab = mapSlab({ directory: state, port }, systemRandom);
  if ("problem" in slab) throw new Error(slab.problem);
  const [held] = holdOf(slab, { id, limits: { ...UNLIMITED, budgets: [BUDGETS[id]] } }).own.budgets;
  return peekBudget(slab, held!.limit);
}

export interface Processes {
  readonly workers: readonly number[];
  readonly writers: readonly number[];
}

/** The children of a supervisor, by what they do. */
export function childrenOf({ firstPid }: Pick<Fleet, "firstPid">): Processes {
  const [workers, writers]: [number[], number[]] = [[], []];
  for (const name of readdirSync(`/proc/${firstPid}/task`)) {
    const children = read(`/proc/${firstPid}/task/${name}/children`).trim();
    for (const pid of children === "" ? [] : children.split(" ")) {
      const command = read(`/proc/${pid}/cmdline`).split("\0");
      if (command.includes("ledger-writer")) writers.push(Number(pid));
      else if (command.includes("worker")) workers.push(Number(pid));
    }
  }
  return { workers, writers };
}

/** SIGKILL; whether anybody was there to die. */
export function slay(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false; // It ended by itself a moment before.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // The process is gone.
  }
}
