import type { Loss, LossCode, Report } from "../ir/loss.ts";

/** What a stream may still find once so much is known: the first of each other code. */
const LATE_LOSSES_MAX = 512;

/** Collects the losses of one translation, each once. */
export interface LossLog {
  readonly all: readonly Loss[];
  readonly report: Report;
  /** From here on losses are late: no header can name them before the first byte. */
  startAnswer(): void;
  /** Those found while answering. */
  late(): readonly Loss[];
}

/** An empty log. */
export function lossLog(): LossLog {
  const all: Loss[] = [];
  const seen = new Set<string>();
  const codes = new Set<LossCode>();
  let early: number | undefined;
  return {
    all,
    report(loss) {
      const isFull = early !== undefined && all.length - early >= LATE_LOSSES_MAX;
      if (isFull && codes.has(loss.code)) return;
      const key = `${loss.code} ${loss.path}`;
      if (seen.has(key)) return;
      seen.add(key);
      codes.add(loss.code);
      all.push(loss);
    },
    startAnswer() {
      early ??= all.length;
    },
    late: () => (early === undefined ? [] : all.slice(early)),
  };
}
