import type { OnExhausted } from "../core/limits.ts";
import type { BudgetStatus } from "../core/rejection.ts";
import { Secret } from "../core/secret.ts";
import { readWebhookUrl } from "./base-url.ts";
import { choose } from "./choose.ts";
import type { AlertsConfig, BudgetsConfig, Diagnostic, WebhookConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { type Findings, finding } from "./findings.ts";
import { type Path, say } from "./path.ts";
import type { FileConfig } from "./schema.ts";

type FileBudget = NonNullable<FileConfig["signed_keys"]>["budget"];
type FileAlerts = NonNullable<NonNullable<FileConfig["budgets"]>["alerts"]>;

/** Half of what SHA-256 mixes in at once. */
const SECRET_MIN = 32;

/** What `budgets:` says of the budgets of all keys. */
export function readBudgets(file: FileConfig, findings: Findings): BudgetsConfig {
  const { budgets } = file;
  findings.errors.push(...emptyBudgets(file));
  const { status, on_exhausted } = budgets ?? {};
  return {
    alerts: readAlerts(budgets?.alerts ?? {}, findings),
    onExhausted: choose<OnExhausted>(
      { path: "budgets.on_exhausted", given: on_exhausted, otherwise: DEFAULTS.onExhausted },
      findings,
    ),
    status: choose<BudgetStatus>(
      { path: "budgets.status", given: status, otherwise: DEFAULTS.budgetStatus },
      findings,
    ),
  };
}

/** Who wrote one down means it to hold. */
function emptyBudgets({ keys, tenants, signed_keys }: FileConfig): readonly Diagnostic[] {
  const holders: (readonly [Path, { readonly budget?: FileBudget } | null | undefined])[] = [
    ...Object.entries(keys ?? {}).map(([id, key]) => [["keys", id], key] as const),
    ...Object.entries(tenants ?? {}).map(([id, tenant]) => [["tenants", id], tenant] as const),
    [["signed_keys"], signed_keys],
  ];
  return holders.flatMap(([path, holder]) => {
    const { usd, tokens } = holder?.budget ?? { usd: 0 };
    if (usd !== undefined || tokens !== undefined) return [];
    return finding([...path, "budget"], "limits nothing", "add usd or tokens, or remove it");
  });
}

function readAlerts(given: FileAlerts, findings: Findings): AlertsConfig {
  const { at_percent, webhook_url, webhook_secret, enabled } = given;
  const path = ["budgets", "alerts"];
  const isOn = choose(
    { path: say([...path, "enabled"]), given: enabled, otherwise: true },
    findings,
  );
  const listed = at_percent?.filter((each) => each !== undefined);
  const percents = choose<readonly number[]>(
    { path: say([...path, "at_percent"]), given: listed, otherwise: DEFAULTS.alertPercents },
    findings,
  );
  const webhook = readWebhook(webhook_url, webhook_secret, findings);
  if (!isOn) return { percents: [], webhook: undefined };
  return { percents: [...new Set(percents)].toSorted((one, other) => one - other), webhook };
}

function readWebhook(
  url: string | undefined,
  secret: string | undefined,
  findings: Findings,
): WebhookConfig | undefined {
  if (secret !== undefined && secret.length < SECRET_MIN) {
    const fix = `give it at least ${SECRET_MIN} characters: openssl rand -hex 32`;
    findings.errors.push(
      finding("budgets.alerts.webhook_secret", "is too short to sign with", fix),
    );
    return undefined;
  }
  if (url === undefined) {
    if (secret === undefined) return undefined;
    const fix = "add webhook_url, or remove it";
    findings.errors.push(finding("budgets.alerts.webhook_secret", "signs nothing", fix));
    return undefined;
  }
  const read = readWebhookUrl(url);
  if (read.ok) return { url: read.url, secret: secret === undefined ? secret : new Secret(secret) };
  findings.errors.push(finding("budgets.alerts.webhook_url", read.reason, read.fix));
  return undefined;
}
