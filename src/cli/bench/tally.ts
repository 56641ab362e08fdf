import { summarize } from "./stats.ts";
import type { Summary } from "./stats.ts";
import type { Verdict } from "./verdict.ts";

/** What the answers of one window came to. Times are in microseconds. */
export interface TallyReport {
  readonly answered: number;
  /** Right answers outside the window too: what the upstream must have given at least. */
  readonly answeredInAll: number;
  /** Answers that were right, but not in the bytes the upstream sent. */
  readonly rewritten: number;
  /** Every answer that was not right, from the first connection to the last, by what was wrong. */
  readonly failures: Readonly<Record<string, number>>;
  readonly latency: Summary | undefined;
  /** From the request's sending to the first whole event. */
  readonly firstEvent: Summary | undefined;
  /** From the upstream's sending of an event to its arrival, on paced streams. */
  readonly eventLag: Summary | undefined;
}

/** Counts answers. Only those that end inside the window are figures; a failure always counts. */
export class Tally {
  #measuring = false;
  #answered = 0;
  #answeredInAll = 0;
  #rewritten = 0;
  readonly #failures = new Map<string, number>();
  readonly #latencies: number[] = [];
  readonly #firstEvents: number[] = [];
  readonly #lags: number[] = [];

  begin(): void {
    this.#measuring = true;
  }
  end(): void {
    this.#measuring = false;
  }

  answered(verdict: Verdict, latencyMicros: number, firstEventMicros: number | undefined): void {
    if (verdict === "wrong") return this.failed("wrong answer");
    this.#answeredInAll++;
    if (!this.#measuring) return;
    this.#answered++;
    if (verdict === "rewritten") this.#rewritten++;
    this.#latencies.push(latencyMicros);
    if (firstEventMicros !== undefined) this.#firstEvents.push(firstEventMicros);
  }
  failed(reason: string): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }
  lagged(micros: number): void {
    if (this.#measuring) this.#lags.push(micros);
  }

  report(): TallyReport {
    return {
      answered: this.#answered,
      answeredInAll: this.#answeredInAll,
      rewritten: this.#rewritten,
      failures: Object.fromEntries(this.#failures),
      latency: summarize(this.#latencies),
      firstEvent: summarize(this.#firstEvents),
      eventLag: summarize(this.#lags),
    };
  }
}
