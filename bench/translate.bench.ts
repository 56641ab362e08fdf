import { bench, do_not_optimize, group } from "mitata";
import { DIALECT_IDS } from "../src/core/ids.ts";
import { conversationIn, PAIRS, translated } from "./conversation.ts";

// A request of 32 KiB from one protocol to another, whole: read, made to fit, written. Beside it
// what any translation costs at least: the same bytes parsed and printed.
for (const from of DIALECT_IDS) {
  const body = conversationIn(from);
  group(`translate ${(body.length / 1024).toFixed(0)} KiB from ${from}`, () => {
    for (const { to } of PAIRS.filter((pair) => pair.from === from)) {
      bench(`to ${to}`, () => do_not_optimize(translated(body, from, to)));
    }
    const text = new TextDecoder().decode(body);
    bench("JSON.parse, JSON.stringify", () => {
      do_not_optimize(JSON.stringify(JSON.parse(text)));
    }).baseline(true);
  });
}
