import { afterEach, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  BATCH_CHARS,
  BUFFER_CHARS,
  BufferedLog,
  FLUSH_AFTER_MS,
  type LogOptions,
} from "../../src/runtime/log.ts";
import type { Clock } from "../../src/runtime/runtime.ts";

const WALL = Date.UTC(2030, 0, 15, 10, 30, 45, 123);

/** A clock that stands still and wakes its sleepers when told. */
function stillClock(): Clock & { wake(): void; readonly delays: number[] } {
  let sleepers: { wake: () => void }[] = [];
  const delays: number[] = [];
  return {
    delays,
    now: () => 0,
    wall: () => WALL,
    machine: () => 0n,
    after(delay, wake) {
      const sleeper = { wake };
      delays.push(delay);
      sleepers.push(sleeper);
      return { cancel: () => void (sleepers = sleepers.filter((one) => one !== sleeper)) };
    },
    wake() {
      const due = sleepers;
      sleepers = [];
      for (const { wake } of due) wake();
    },
  };
}

/** Takes what is written and answers when told, or at once. */
function output({ atOnce }: { atOnce: boolean }) {
  const texts: string[] = [];
  let pending: PromiseWithResolvers<void> | undefined;
  return {
    texts,
    get busy() {
      return pending !== undefined;
    },
    write(text: string): Promise<void> {
      expect(pending).toBeUndefined(); // One write at a time, or lines would cross.
      texts.push(text);
      if (atOnce) return Promise.resolve();
      pending = Promise.withResolvers<void>();
      return pending.promise;
    },
    async answer(failure?: Error): Promise<void> {
      const answered = pending;
      pending = undefined;
      if (failure) answered?.reject(failure);
      else answered?.resolve();
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    },
  };
}

function logTo(
  write: LogOptions["write"],
  differs: Partial<LogOptions> = {},
): { log: BufferedLog; clock: ReturnType<typeof stillClock> } {
  const clock = stillClock();
  return {
    clock,
    log: new BufferedLog({ clock, level: "info", format: "json", write, ...differs }),
  };
}

test("a line has timestamp, level, target and message first, then its fields", async () => {
  const out = output({ atOnce: true });
  const { log } = logTo(out.write);
  log.line("warn", "gateway", "Request completed", {
    request_id: "req-abc123",
    tokens: { input: 150, output: 50 },
    absent: undefined,
    status: 200,
  });
  await log.flush();
  expect(out.texts.join("")).toBe(
    '{"timestamp":"2030-01-15T10:30:45.123Z","level":"WARN","target":"gateway",' +
      '"message":"Request completed","request_id":"req-abc123",' +
      '"tokens":{"input":150,"output":50},"status":200}\n',
  );
});

test("any text stands on one line, comes back as it was, and cannot steer a terminal", () => {
  const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/;
  const anyText = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom("\u009b", "\u001b", "\n", "\u202e", "\u2028", '"', "\\") }),
  );
  fc.assert(
    fc.asyncProperty(anyText, anyText, async (message, value) => {
      for (const format of ["json", "pretty"] as const) {
        const out = output({ atOnce: true });
        const { log } = logTo(out.write, { format });
        log.line("info", "t", message, { value });
        await log.flush();
        const text = out.texts.join("");
        expect(text.split("\n")).toHaveLength(2);
        expect(text).not.toMatch(steering);
        if (format === "json") expect(JSON.parse(text)).toMatchObject({ message, value });
      }
    }),
  );
});

test("a person's line shows time, level, message and the fields that have a value", async () => {
  const out = output({ atOnce: true });
  const { log } = logTo(out.write, { format: "pretty" });
  const fields = { status: 200, key: undefined, route: "a > b", tokens: { input: 1, output: 2 } };
  log.line("info", "gateway", "Request completed", fields);
  await log.flush();
  expect(out.texts.join("")).toBe(
    "10:30:45.123 INFO  gateway: Request completed status=200 " +
      'route="a > b" tokens.input=1 tokens.output=2\n',
  );
});

test("lines below the level are not written, and the level can change", async () => {
  const out = output({ atOnce: true });
  const { log } = logTo(out.write);
  const messages = () => out.texts.join("").match(/m-\w+/g) ?? [];
  for (const level of ["debug", "info", "warn", "error"] as const)
    log.line(level, "t", `m-${level}`);
  await log.flush();
  expect(messages()).toEqual(["m-info", "m-warn", "m-error"]);
  log.setLevel("error");
  log.line("warn", "t", "m-later");
  await log.flush();
  expect(messages()).toHaveLength(3);
});

test("lines wait for company, but no longer than the flush interval", async () => {
  const out = output({ atOnce: true });
  const { log, clock } = logTo(out.write);
  for (let n = 0; n < 10; n++) log.line("info", "t", "m", { n });
  expect(out.texts).toHaveLength(0);
  expect(clock.delays).toEqual([FLUSH_AFTER_MS]);
  clock.wake();
  expect(out.texts).toHaveLength(1);
  expect(out.texts[0]!.trimEnd().split("\n")).toHaveLength(10);
});

test("a batch that is large enough does not wait", () => {
  const out = output({ atOnce: true });
  const { log } = logTo(out.write);
  log.line("info", "t", "x".repeat(BATCH_CHARS));
  expect(out.texts).toHaveLength(1);
});

test("flush resolves once all lines so far are written, not before", async () => {
  const out = output({ atOnce: false });
  const { log } = logTo(out.write);
  const done: string[] = [];
  log.line("info", "t", "first");
  void log.flush().then(() => done.push("first"));
  log.line("info", "t", "second"); // The write under way does not hold it.
  void log.flush().then(() => done.push("second"));
  expect(done).toEqual([]);
  await out.answer();
  expect(done).toEqual(["first"]);
  await out.answer();
  expect(done).toEqual(["first", "second"]);
  await log.flush(); // Nothing waits: nothing to wait for.
  expect(out.texts).toHaveLength(2);
});

test("a bounded flush ends with the lines or with its time, whichever is first", async () => {
  const stuck = output({ atOnce: false });
  const { log, clock } = logTo(stuck.write);
  log.line("info", "t", "never taken");
  let over = false;
  const bounded = log.flushWithin(1000).then(() => void (over = true));
  await Promise.resolve();
  expect(over).toBe(false);
  clock.wake();
  await bounded;
  const free = logTo(output({ atOnce: true }).write);
  free.log.line("info", "t", "taken");
  await free.log.flushWithin(1000);
});

test("lines that came during a write go out by themselves after it", async () => {
  const out = output({ atOnce: false });
  const { log, clock } = logTo(out.write);
  log.line("info", "t", "first");
  clock.wake();
  log.line("info", "t", "second");
  await out.answer();
  clock.wake();
  expect(out.texts[1]).toContain("second");
});

type Step = "line" | "wake" | "answer" | "fail" | "flush";

test("every line is written once and in order, or counted as dropped", () => {
  const steps = fc.array(fc.constantFrom<Step>("line", "wake", "answer", "fail", "flush"), {
    maxLength: 60,
  });
  fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const out = output({ atOnce: false });
      const { log, clock } = logTo(out.write);
      const failed: string[] = [];
      let n = 0;
      for (const step of all) {
        if (step === "line") log.line("info", "t", "m", { n: n++ });
        if (step === "wake") clock.wake();
        if (step === "flush") void log.flush();
        if (step === "answer") await out.answer();
        if (step === "fail" && out.busy) {
          failed.push(out.texts.at(-1)!);
          await out.answer(new Error("EPIPE"));
        }
      }
      void log.flush();
      while (out.busy) await out.answer();
      const numbers = (texts: readonly string[]) =>
        [...texts.join("").matchAll(/"n":(\d+)/g)].map((match) => Number(match[1]));
      expect(numbers(out.texts)).toEqual([...Array(n).keys()]);
      const lost = failed.join("").split("\n").length - 1;
      expect(log.linesDropped).toBe(lost);
    }),
  );
});

test("a reader that stops costs the lines beyond the buffer, which is said later", async () => {
  const out = output({ atOnce: false });
  const { log, clock } = logTo(out.write);
  const pad = "x".repeat(10_000);
  const count = Math.ceil(BUFFER_CHARS / pad.length) * 2;
  for (let n = 0; n < count; n++) log.line("info", "t", "m", { n, pad });
  const dropped = log.linesDropped;
  expect(dropped).toBeGreaterThan(count / 3);
  void log.flush();
  while (out.busy) await out.answer();
  clock.wake();
  while (out.busy) await out.answer();
  const written = out.texts.join("");
  expect(written.length).toBeLessThan(BUFFER_CHARS + 1000);
  const last = JSON.parse(written.trimEnd().split("\n").at(-1)!);
  expect(last).toMatchObject({ level: "WARN", target: "log", lines: dropped });
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const onUnix = process.platform === "win32" ? test.skip : test;

onUnix("a pipe nobody reads blocks neither the process nor grows it, and stays whole", async () => {
  const folder = mkdtempSync(join(tmpdir(), "interlock-log-"));
  folders.push(folder);
  const fifo = join(folder, "fifo");
  Bun.spawnSync(["mkfifo", fifo]);
  const held = openSync(fifo, constants.O_RDWR); // Opening one side alone would wait for the other.
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "log-child.ts")], {
    stdout: held,
    stderr: "pipe",
  });
  const reading = Bun.file(openSync(fifo, constants.O_RDONLY)).stream();
  closeSync(held);
  // The report comes although not one byte was taken from the pipe.
  const report = await firstLine(child.stderr);
  expect(report.dropped).toBeGreaterThan(report.lines / 2);
  expect(report.grown).toBeLessThan(100e6);

  const lines = (await new Response(reading).text()).trimEnd().split("\n");
  expect(await child.exited).toBe(0);
  const all = lines.map((line) => JSON.parse(line) as { n?: number; message: string });
  const numbers = all.flatMap(({ n }) => n ?? []);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(numbers).toHaveLength(report.lines - report.dropped);
  expect(all.at(-1)?.message).toBe("last");
});

interface Report {
  readonly dropped: number;
  readonly grown: number;
  readonly lines: number;
}
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<Report> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return JSON.parse(text) as Report;
}
