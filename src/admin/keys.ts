import { z } from "zod";
import type { Ms } from "../core/units.ts";
import { PERIOD_WORDS, readPeriod } from "../core/period-text.ts";
import type { KeyBook } from "../state/keys/key-book.ts";
import { keyJson, keyState, listedJson, momentText } from "../state/keys/key-json.ts";
import type { KeyLimits } from "../state/keys/key-limits.ts";
import type { KeyRefusal, ListedKey, NewKey } from "../state/keys/key-store.ts";
import {
  isLabel,
  LABEL,
  parseDollars,
  parseDuration,
  parseExpiry,
} from "../state/keys/key-words.ts";
import { answerJson, answerProblem } from "./answers.ts";
import { BadRequest, readBody } from "./body.ts";
import { type Call, DeskClosed } from "./desk.ts";

const label = z.string().refine(isLabel, `give ${LABEL}`);
const count = z.int().min(1).max(1e15);
const names = z.array(z.string().min(1)).min(1);

/** What is sent to make a key: its names are those in which a key is shown. */
const NEW_KEY = z.strictObject({
  name: label,
  tenant: label.optional(),
  expires: z.string().optional(),
  limits: z
    .strictObject({
      requests_per_minute: count.optional(),
      tokens_per_minute: count.optional(),
      max_concurrent: count.optional(),
      budget: z
        .strictObject({
          usd: z.union([z.string(), z.number()]).optional(),
          tokens: count.optional(),
          period: z.string().default("monthly"),
        })
        .refine(({ usd, tokens }) => usd !== undefined || tokens !== undefined, "limits nothing")
        .optional(),
      privacy: z.enum(["private", "shareable"]).optional(),
      allow: names.optional(),
      zones: names.optional(),
    })
    .optional(),
});
const ROTATION = z.strictObject({ overlap: z.string().default("24h") });

/** `GET /admin/keys`: those that open something, or with `?all=true` each that ever was. */
export function listKeys(call: Call): Promise<Response> {
  const { query, desk } = call;
  return withKeys(call, async (book) => {
    const now = desk.clock.wall();
    const tenant = query.get("tenant");
    const isAll = query.get("all") === "true";
    const keys = (await seen(book, call)).filter(
      (key) =>
        (tenant === null || key.tenant === tenant) && (isAll || keyState(key, now) === "active"),
    );
    return answerJson(200, { keys: keys.map((key) => listedJson(key, now)) });
  });
}

/** `GET /admin/keys/ID`. */
export function showKey(call: Call): Promise<Response> {
  return withKeys(call, async (book) => {
    const now = call.desk.clock.wall();
    const [named = ""] = call.caught;
    const key = (await seen(book, call)).find(({ id }) => id === named);
    if (key === undefined) return answerRefusal(named, { refused: "unknown" });
    return answerJson(200, listedJson(key, now));
  });
}

/** `POST /admin/keys`: the text is in this answer, and nowhere ever again. */
export async function createKey(call: Call): Promise<Response> {
  const now = call.desk.clock.wall();
  const wanted = ownKey(newKey(await readBody(call.request, NEW_KEY), now), call);
  return withKeys(call, async (book) => {
    const { key, text } = await book.create(wanted, now);
    return answerJson(201, { key: text, ...keyJson(key) });
  });
}

/** `POST /admin/keys/ID/rotate`. */
export async function rotateKey(call: Call): Promise<Response> {
  const { overlap: written } = await readBody(call.request, ROTATION);
  const overlap = parseDuration(written);
  if (overlap === undefined) {
    throw new BadRequest("overlap: give a duration such as 12h, 30m or 0.", { param: "overlap" });
  }
  const [named = ""] = call.caught;
  return withKeys(call, async (book) => {
    if (!(await mayChange(book, named, call))) return answerRefusal(named, { refused: "unknown" });
    const done = await book.rotate(named, { now: call.desk.clock.wall(), overlap });
    if ("refused" in done) return answerRefusal(named, done);
    const overlapEnds = momentText(done.overlapEnds);
    return answerJson(200, { key: done.text, ...keyJson(done.key), overlap_ends: overlapEnds });
  });
}

/** `DELETE /admin/keys/ID`: for good. */
export function revokeKey(call: Call): Promise<Response> {
  const [named = ""] = call.caught;
  return withKeys(call, async (book) => {
    if (!(await mayChange(book, named, call))) return answerRefusal(named, { refused: "unknown" });
    const done = await book.revoke(named, call.desk.clock.wall());
    if ("refused" in done) return answerRefusal(named, done);
    return answerJson(200, { id: done.id, revoked: true });
  });
}

/** Every key that this caller may know of: those of others are not there for it. */
async function seen(book: KeyBook, { desk, tenant }: Call): Promise<readonly ListedKey[]> {
  const keys = await book.list(desk.clock.wall());
  return tenant === undefined ? keys : keys.filter((key) => key.tenant === tenant);
}

/** A tenant's caller names keys by their id: a name may be that of another's too. */
async function mayChange(book: KeyBook, named: string, call: Call): Promise<boolean> {
  return call.tenant === undefined || (await seen(book, call)).some(({ id }) => id === named);
}

/** What a tenant's caller makes is its tenant's. */
function ownKey(wanted: NewKey, { tenant }: Call): NewKey {
  if (tenant === undefined) return wanted;
  if (wanted.tenant === undefined || wanted.tenant === tenant) return { ...wanted, tenant };
  throw new BadRequest("tenant: this token makes keys of its own tenant alone.", {
    param: "tenant",
  });
}

async function withKeys(
  { desk, by }: Call,
  work: (book: KeyBook) => Promise<Response>,
): Promise<Response> {
  const book = await desk.keys(by);
  if (typeof book === "string") throw new DeskClosed(book);
  try {
    return await work(book);
  } finally {
    await book.close();
  }
}

type Wanted = z.infer<typeof NEW_KEY>;

function newKey({ name, tenant, expires, limits }: Wanted, now: Ms): NewKey {
  const ends = expires === undefined ? undefined : parseExpiry(expires, now);
  if (typeof ends === "string") {
    const why = ends === "past" ? "this is past" : "give 90d, 2027-01-31 or 2027-01-31T12:00:00Z";
    throw new BadRequest(`expires: ${why}.`, { param: "expires" });
  }
  return { name, tenant, expires: ends, limits: limitsOf(limits ?? {}) };
}

function limitsOf(limits: NonNullable<Wanted["limits"]>): KeyLimits {
  return {
    requestsPerMinute: limits.requests_per_minute,
    tokensPerMinute: limits.tokens_per_minute,
    concurrency: limits.max_concurrent,
    budget: limits.budget && budgetOf(limits.budget),
    privacy: limits.privacy,
    allow: limits.allow,
    zones: limits.zones,
  };
}

type Budget = NonNullable<NonNullable<Wanted["limits"]>["budget"]>;

function budgetOf({ usd, tokens, period: written }: Budget): KeyLimits["budget"] {
  const period = readPeriod(written);
  if (period === undefined) {
    const param = "limits.budget.period";
    throw new BadRequest(`${param}: give one of ${PERIOD_WORDS}.`, { param });
  }
  const nano = usd === undefined ? undefined : parseDollars(String(usd));
  if (usd !== undefined && nano === undefined) {
    const param = "limits.budget.usd";
    throw new BadRequest(`${param}: give US dollars such as 50 or "0.25".`, { param });
  }
  return { nano, tokens, period };
}

function answerRefusal(named: string, refusal: KeyRefusal): Response {
  switch (refusal.refused) {
    case "unknown":
      return answerProblem(404, { type: "not_found", message: `There is no key ${named}.` });
    case "ambiguous": {
      const message = `Several keys are called ${named}. Give an id: ${refusal.ids.join(", ")}.`;
      return answerProblem(409, { type: "conflict", message });
    }
    case "revoked":
      return answerProblem(409, { type: "conflict", message: "The key is revoked already." });
    case "expired":
      return answerProblem(409, {
        type: "conflict",
        message: "The key has expired: make a new one.",
      });
    case "unreadable":
      return answerProblem(409, {
        type: "conflict",
        message: `The key's limits cannot be read: ${refusal.why}.`,
      });
  }
}
