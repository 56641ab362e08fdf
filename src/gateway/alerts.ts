import type { AlertsConfig } from "../config/config.ts";
import type { BudgetAlert } from "../core/alert.ts";
import type { Ms } from "../core/units.ts";
import type { Alerting } from "../governor/governor.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Metrics } from "../telemetry/catalogue.ts";
import { Webhook } from "../upstream/webhook.ts";

export interface AlertsOptions {
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly userAgent: string;
  /** What periods are told by. */
  readonly wall: () => Ms;
}

const NANO_PER_USD = 1e9;

/** Tells the log, the metrics and the operator's webhook of budgets; undefined for nobody. */
export function alerting(
  { percents, webhook: config }: AlertsConfig,
  { runtime, metrics, userAgent, wall }: AlertsOptions,
): Alerting | undefined {
  if (percents.length === 0) return undefined;
  const { network, clock, log } = runtime;
  const onTold = (result: "sent" | "failed" | "dropped"): void => {
    metrics.alertsTold.series({ result }).add(1);
    if (result !== "sent") log.line("error", "gateway", "An alert was not delivered", { result });
  };
  const webhook = config && new Webhook(config, { network, clock, userAgent, onTold });
  return {
    percents,
    wall,
    tell(alert) {
      metrics.budgetAlerts.series({ percent: String(alert.percent) }).add(1);
      log.line("warn", "gateway", "Budget alert", fieldsOf(alert));
      webhook?.tell(alert, clock.wall());
    },
  };
}

function fieldsOf({ whose, name, percent, unit, spent, limit, refused, ...rest }: BudgetAlert) {
  const shown = (amount: number): number => (unit === "usd" ? amount / NANO_PER_USD : amount);
  return {
    ...{ [whose]: name, percent, refused, unit, spent: shown(spent), limit: shown(limit) },
    ...{ period: rest.period, period_name: rest.periodName },
  };
}
