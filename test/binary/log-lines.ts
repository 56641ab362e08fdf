import type { Binary } from "./harness.ts";

/** One request's line, as far as the suites look into it. */
export interface LogLine {
  readonly request_id: string;
  readonly provider: string;
  readonly status: number;
  readonly key?: string;
  readonly tenant?: string;
  readonly model?: string;
  readonly tokens: { readonly input: number; readonly output: number };
  readonly usage?: string;
  readonly route?: string;
  readonly ending: string;
  readonly translated?: string;
  readonly losses?: string;
  readonly level: string;
  readonly fault?: string;
}

const PATIENCE_MS = 5000;

/** The line of a request, once the binary has printed it: a stream's comes after its last byte. */
export async function lineOf(binary: Binary, id: string): Promise<LogLine> {
  const mark = `"${id}"`;
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const text = binary.stdout();
    const at = text.lastIndexOf(mark);
    const end = at < 0 ? -1 : text.indexOf("\n", at);
    if (end >= 0) return JSON.parse(text.slice(text.lastIndexOf("\n", at) + 1, end));
    if (performance.now() > until) throw new Error(`no log line for ${id}`);
    await Bun.sleep(1);
  }
}
