/** A way by which something of a request could leave, other than the backend it is sent to. */
export interface SideExit {
  readonly name: string;
  readonly state: "not built yet" | "never sees payload";
  readonly reason: string;
}

/** Every one of them. Whoever builds one gives it a `Backend<Admits<P>>`, or changes its line. */
export const SIDE_EXITS: readonly SideExit[] = [
  absent("response cache", "no answer is stored"),
  absent("semantic cache and its embeddings", "nothing is embedded or compared"),
  absent("guardrail webhooks", "no prompt is sent to be judged"),
  absent("request-log webhooks", "no request is sent to be logged"),
  absent("traces", "no span is made or exported"),
  absent("shadow traffic", "no request is sent twice for comparison"),
  absent("capture and replay", "no prompt or answer is written to disk"),
  {
    name: "budget alerts",
    state: "never sees payload",
    reason:
      "budgets.alerts.webhook_url gets names of keys, words and amounts, and is given no more",
  },
  {
    name: "logs",
    state: "never sees payload",
    reason: "a line is made of named fields; a body, a header map or an error is none of them",
  },
  {
    name: "metrics",
    state: "never sees payload",
    reason: "labels hold names from the configuration only, values are counts and times",
  },
  {
    name: "the database of several nodes",
    state: "never sees payload",
    reason: "it gets keys' names and digests, what requests used, and amounts",
  },
  {
    name: "other nodes",
    state: "never sees payload",
    reason: "they are told keys' names, digests and ends, and nothing of a request",
  },
  {
    name: "deny-set sources (NATS, Postgres)",
    state: "never sees payload",
    reason: "they are asked who is shut out; nothing of a request is told to them",
  },
];

function absent(name: string, reason: string): SideExit {
  return { name, state: "not built yet", reason };
}
