import { bench, do_not_optimize, group } from "mitata";
import { accept } from "../src/ingress/accept.ts";
import { authenticate, keyRing } from "../src/ingress/authenticate.ts";
import { classify, type Signals } from "../src/ingress/classify.ts";
import { BENCH_KEY, BODIES, companyConfig, envelopeOf } from "./inputs.ts";

// Everything before routing that looks at the request's head, and its class.
const config = companyConfig();
const ring = keyRing(config.keys, { wall: () => 0 });
const http = new Request("http://127.0.0.1:8080/v1/chat/completions", {
  method: "POST",
  body: "{}",
  headers: {
    host: "127.0.0.1:8080",
    authorization: `Bearer ${BENCH_KEY}`,
    "content-type": "application/json",
  },
});
const calls = BODIES.map(({ body }) => ({
  envelope: envelopeOf(body),
  privacyMark: undefined,
  body,
}));
const unmarked: Signals = {
  fallback: "private",
  key: undefined,
  target: undefined,
  header: null,
  body: undefined,
};
const marked: Signals = {
  ...unmarked,
  fallback: "shareable",
  header: "Private",
  body: "shareable",
};

group("ingress", () => {
  bench("accept: path, host, method", () => do_not_optimize(accept(http, config.server)));
  bench("authenticate: a key by its digest", () =>
    do_not_optimize(authenticate(http.headers, ring)),
  );
  bench("classify: nobody marked it", () => do_not_optimize(classify(calls[0]!, unmarked)));
  bench("classify: header and body marks", () => do_not_optimize(classify(calls[0]!, marked)));
  bench("classify: a 1 MB body", () => do_not_optimize(classify(calls[2]!, unmarked)));
});
