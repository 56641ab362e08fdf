import { systemClock } from "../../src/runtime/clock.ts";
import { BufferedLog, descriptorWriter } from "../../src/runtime/log.ts";

/** Logs far more than a pipe holds, reports on standard error, then waits for a reader. */
const LINES = 100_000;
const PAD = "x".repeat(2000);

const log = new BufferedLog({
  clock: systemClock,
  level: "info",
  format: "json",
  write: descriptorWriter(1),
});
const before = process.memoryUsage.rss();
for (let n = 0; n < LINES; n++) {
  log.line("info", "test", "line", { n, pad: PAD });
  if (n % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
}
const grown = process.memoryUsage.rss() - before;
process.stderr.write(`${JSON.stringify({ dropped: log.linesDropped, grown, lines: LINES })}\n`);
await log.flush();
log.line("info", "test", "last");
await log.flush();
