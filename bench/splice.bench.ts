import { bench, do_not_optimize, group } from "mitata";
import { jsonString, splice } from "../src/wire/json-splice.ts";
import { BODIES, envelopeOf } from "./inputs.ts";

// A model renamed over its byte range, beside writing the whole document again.
for (const { name, body } of BODIES) {
  const { modelSpan } = envelopeOf(body);
  group(`splice, ${name}`, () => {
    bench("model name over its span", () => {
      do_not_optimize(splice(body, modelSpan, jsonString("bench-upstream")));
    });
    bench("parse, set, stringify, encode", () => {
      const document = JSON.parse(new TextDecoder().decode(body)) as { model: string };
      document.model = "bench-upstream";
      do_not_optimize(new TextEncoder().encode(JSON.stringify(document)));
    }).baseline(true);
  });
}
