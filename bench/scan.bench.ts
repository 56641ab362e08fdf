import { bench, do_not_optimize, group } from "mitata";
import { envelopeOf, BODIES } from "./inputs.ts";

// What routing needs of a request, by scanning, beside what a parse of the same bytes costs.
for (const { name, body } of BODIES) {
  group(`scan, ${name}`, () => {
    bench("envelope by scan", () => do_not_optimize(envelopeOf(body)));
    bench("decode and JSON.parse", () => {
      do_not_optimize(JSON.parse(new TextDecoder().decode(body)));
    }).baseline(true);
  });
}
