import { expect, test } from "bun:test";
import type { Loss, LossCode } from "../../../src/protocol/ir/loss.ts";
import { lossLog } from "../../../src/protocol/translate/loss-log.ts";

const loss = (code: LossCode, path: string): Loss => ({ code, path, action: "dropped" });

test("a loss told twice is one, and its place counts", () => {
  const log = lossLog();
  for (const path of ["a", "b", "a"]) log.report(loss("L-SEED", path));
  log.report(loss("L-TOPK", "a"));
  expect(log.all.map(({ code, path }) => code + path)).toEqual(["L-SEEDa", "L-SEEDb", "L-TOPKa"]);
});

test("late are those found while answering", () => {
  const log = lossLog();
  log.report(loss("L-SEED", "seed"));
  expect(log.late()).toEqual([]);
  log.startAnswer();
  log.report(loss("L-STOP", "stop"));
  expect(log.late()).toEqual([loss("L-STOP", "stop")]);
});

test("a stream without end does not fill the memory, and no kind of loss is left out", () => {
  const log = lossLog();
  for (let index = 0; index < 2000; index++) log.report(loss("L-NAME", `messages[${index}]`));
  log.startAnswer();
  for (let index = 0; index < 100_000; index++) log.report(loss("L-CITE", `blocks[${index}]`));
  log.report(loss("L-STOP", "stop"));
  expect(log.all.length).toBe(2000 + 512 + 1);
  expect(log.all.at(-1)).toEqual(loss("L-STOP", "stop"));
});
