import type { WebhookConfig } from "../config/config.ts";
import type { BudgetAlert } from "../core/alert.ts";
import type { Chunk, Ms } from "../core/units.ts";
import type { Clock, Network } from "../runtime/runtime.ts";
import { createEgress, type Egress } from "./egress.ts";

/** How a telling went in the end. */
export type Told = "sent" | "failed" | "dropped";

export interface WebhookOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly onTold: (told: Told) => void;
}

/** More of them at once are not told: they are in the log. */
const WAITING_MAX = 64;
/** How long one try may take, and how long after a failed one the next comes. */
const TRY_MS: Ms = 5000;
const utf8 = new TextEncoder();
const AGAIN_MS: readonly Ms[] = [1000, 5000, 30_000];

/**
 * Tells of alerts where the operator wants to hear of them. A side exit: what it sends is made of
 * an alert's names and numbers, and it is given nothing else. It goes out as a backend's requests
 * do: no redirect, no proxy of the environment, and plain http to private addresses alone, which
 * are checked when they are dialled.
 */
export class Webhook {
  readonly #config: WebhookConfig;
  readonly #options: WebhookOptions;
  #waiting = 0;

  constructor(config: WebhookConfig, options: WebhookOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** Returns at once; says later how it went. */
  tell(alert: BudgetAlert, wall: Ms): void {
    if (this.#waiting >= WAITING_MAX) return this.#options.onTold("dropped");
    this.#waiting++;
    this.#try(utf8.encode(JSON.stringify(documentOf(alert, wall))), 0);
  }

  #try(body: Chunk, tries: number): void {
    const after = (isTold: boolean): void => {
      const again = AGAIN_MS[tries];
      if (!isTold && again !== undefined) {
        this.#options.clock.after(again, () => this.#try(body, tries + 1));
        return;
      }
      this.#waiting--;
      this.#options.onTold(isTold ? "sent" : "failed");
    };
    // What went wrong is somebody else's: it is tried again, and counted in the end.
    this.#send(body).then(after, () => after(false));
  }

  async #send(body: Chunk): Promise<boolean> {
    const { url } = this.#config;
    const { network, clock } = this.#options;
    const placement = url.protocol === "http:" ? "local" : "external";
    const rest = {
      proxy: undefined,
      unix: undefined,
      operatorControlled: false,
      privateAddresses: true,
    };
    const way = { name: "budget alerts", baseUrl: url, placement, ...rest } as const;
    // A new one each time: alerts are rare, and what is kept open may have been closed meanwhile.
    const egress = createEgress(way, { network, clock });
    const controller = new AbortController();
    const timer = clock.after(TRY_MS, () => controller.abort());
    try {
      return await this.#post(body, egress, controller.signal);
    } finally {
      timer.cancel();
      egress.close();
    }
  }

  async #post(body: Chunk, egress: Egress, signal: AbortSignal): Promise<boolean> {
    const { url, secret } = this.#config;
    const dialled = await egress.dial();
    if ("refused" in dialled) return false;
    const headers: Record<string, string> = {
      "content-type": "application/json",
      "user-agent": this.#options.userAgent,
    };
    if (dialled.host !== undefined) headers["host"] = dialled.host;
    if (secret !== undefined) {
      const hasher = new Bun.CryptoHasher("sha256", secret.expose());
      headers["x-interlock-signature"] = `sha256=${hasher.update(body).digest("hex")}`;
    }
    const answer = await egress.session.fetch(dialled.origin + url.pathname + url.search, {
      ...{ method: "POST", headers, body, signal },
      redirect: "manual", // An alert goes where the operator said, and nowhere that says so.
      proxy: egress.proxy,
    });
    await answer.body?.cancel();
    return answer.ok;
  }
}

const NANO_PER_USD = 1e9;

/** What is sent, whole. */
function documentOf(alert: BudgetAlert, wall: Ms): object {
  const { id, whose, name, percent, unit, spent, limit, period, periodName, refused } = alert;
  const shown = (amount: number): number => (unit === "usd" ? amount / NANO_PER_USD : amount);
  return {
    ...{ event: "budget", id, at: new Date(wall).toISOString(), [whose]: name, percent, refused },
    ...{ unit, spent: shown(spent), limit: shown(limit), period, period_name: periodName },
  };
}
