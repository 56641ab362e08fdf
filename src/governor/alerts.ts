import type { BudgetAlert } from "../core/alert.ts";
import type { Period } from "../core/limits.ts";
import { printPeriod } from "../core/period-text.ts";
import type { Whose } from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";
import type { Actor } from "../state/slab/actor.ts";
import { peekBudget } from "../state/slab/budget.ts";
import { Told } from "../state/slab/told.ts";
import type { Held, HeldBudget, Part } from "./held.ts";
import { periodName, periodNumber } from "./periods.ts";

export interface AlertRule {
  /** Percents at which somebody is told, rising. */
  readonly percents: readonly number[];
  readonly wall: Ms;
  /** What was asked and refused for its budget: less is left of it than that. */
  readonly refused?: Amounts | undefined;
}

/** What a call may need of a budget of either unit. */
export interface Amounts {
  readonly tokens: number;
  readonly nano: number;
}

const NONE: readonly BudgetAlert[] = [];

/** What is to be told of a key's budgets now, by this process and nobody else. */
export function alertsOf(actor: Actor, { own, tenant }: Held, rule: AlertRule) {
  const ofKey = alertsOfPart(actor, own, { ...rule, whose: "key" });
  if (tenant === undefined) return ofKey;
  return [...ofKey, ...alertsOfPart(actor, tenant, { ...rule, whose: "tenant" })];
}

interface Telling extends AlertRule {
  readonly whose: Whose;
}

function alertsOfPart(actor: Actor, { id, budgets }: Part, rule: Telling): readonly BudgetAlert[] {
  let alerts: BudgetAlert[] | undefined;
  for (const held of budgets) {
    const { spent } = peekBudget(actor.slab, held.limit);
    const refused = isRefused(held, spent, rule);
    const reached = refused ? 100 : (spent * 100) / held.limit.max;
    const percent = rule.percents.findLast((each) => each <= reached);
    if (percent === undefined) continue;
    const { budget, limit } = held;
    const name = `${rule.whose} ${id} ${budget.unit} ${printPeriod(budget.period)} ${limit.max}`;
    held.told ??= new Told(actor, name);
    const before = held.told.raise(tellingPeriod(budget.period, rule.wall), percent);
    if (before === undefined) continue;
    const about = {
      ...{ whose: rule.whose, name: id, unit: budget.unit, spent, limit: limit.max, refused },
      ...{ period: printPeriod(budget.period), periodName: tellingName(budget.period, rule.wall) },
    };
    for (const each of rule.percents) {
      if (each <= before || each > percent) continue;
      const alert = { id: `${name} ${about.periodName} ${each}`, percent: each, ...about };
      (alerts ??= []).push(alert);
    }
  }
  return alerts ?? NONE;
}

/** Whether what is spent was in its way, and not only what others have reserved. */
function isRefused({ budget, limit }: HeldBudget, spent: number, { refused }: AlertRule): boolean {
  if (refused === undefined) return false;
  const asked = budget.unit === "usd" ? refused.nano : refused.tokens;
  return asked <= limit.max && spent + asked > limit.max;
}

/** Of a rolling window each is told once in its length: it may be reached again and again. */
function tellingPeriod(period: Period, wall: Ms): number {
  if (typeof period === "string") return periodNumber(period, wall);
  return Math.floor(wall / period.rollingMs);
}

function tellingName(period: Period, wall: Ms): string {
  if (typeof period === "string") return periodName(period, wall);
  const from = tellingPeriod(period, wall) * period.rollingMs;
  return `from ${new Date(from).toISOString().slice(0, 19)}Z`;
}
