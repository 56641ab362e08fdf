import { bench, do_not_optimize, group } from "mitata";
import { DIALECT_IDS } from "../src/core/ids.ts";
import type { CallHead } from "../src/core/request.ts";
import { dialects } from "../src/protocol/dialects.ts";
import { conversationIn } from "./conversation.ts";
import { streamIn } from "./streams.ts";

// What passthrough does in each protocol: the envelope of a 32 KiB request, the tap of a stream of
// 64 deltas in an event a chunk. OpenAI's is the measure of the others.
const head: CallHead = {
  ...{ operation: "chat", tail: "/chat", query: "" },
  ...{ model: "bench", stream: true },
};

group("envelope of 32 KiB", () => {
  for (const id of DIALECT_IDS) {
    const body = conversationIn(id);
    const measured = bench(id, () => {
      do_not_optimize(dialects[id].readEnvelope(head, body, { depthMax: 64 }));
    });
    if (id === "openai") measured.baseline(true);
  }
});

group("tap of 64 deltas", () => {
  for (const id of DIALECT_IDS) {
    const chunks = streamIn(id);
    const measured = bench(id, () => {
      const tap = dialects[id].streamTap({ terminal: "done" });
      for (const chunk of chunks) tap.feed(chunk);
      tap.end();
      if (!tap.complete) throw new Error(`${id}: the stream is not complete`);
      do_not_optimize(tap.usage);
    });
    if (id === "openai") measured.baseline(true);
  }
});
