import { bench, do_not_optimize, group } from "mitata";
import type { Chunk } from "../src/core/units.ts";
import { BARE_CHUNKS, EVENT_CHUNKS, SEGMENT_CHUNKS, WHOLE_STREAM } from "./inputs.ts";
import { parsedAll, stripped, tapped } from "./stream-work.ts";

// Usage read from the side of a stream of 64 deltas, beside parsing every event of it.
const CUTS: readonly { readonly name: string; readonly chunks: readonly Chunk[] }[] = [
  { name: "an event a chunk", chunks: EVENT_CHUNKS },
  { name: "a segment a chunk", chunks: SEGMENT_CHUNKS },
  { name: "all at once", chunks: [WHOLE_STREAM] },
];

for (const { name, chunks } of CUTS) {
  group(`tap, ${name}`, () => {
    bench("tap", () => do_not_optimize(tapped(chunks)));
    bench("strip the usage chunk", () => do_not_optimize(stripped(chunks)));
    bench("decode, split, JSON.parse each", () => do_not_optimize(parsedAll(chunks))).baseline(
      true,
    );
  });
}
group("tap, no usage in the stream", () => {
  bench("tap", () => do_not_optimize(tapped(BARE_CHUNKS)));
});
