/**
 * The marker by which upstream/ recognises the embedded demo. No file may name a provider so, and
 * its address (RFC 6761, section 6.4) resolves nowhere: a mistake fails instead of leaking.
 */
export const DEMO_BACKEND_NAME = "demo";

/** First segments of our own paths, and what operators expect there: no provider, pool or model. */
const RESERVED: ReadonlySet<string> = new Set([
  "v1",
  "v1beta",
  "v2",
  "model",
  "models",
  "admin",
  "health",
  "healthz",
  "live",
  "livez",
  "ready",
  "readyz",
  "metrics",
  "dashboard",
  "favicon.ico",
  "robots.txt",
]);

/** Providers, pools and keys stand in paths, labels and log lines: a narrow alphabet. */
const NARROW = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Models as vendors call them: `meta-llama/Llama-3.3-70B`, `qwen3:32b`, `@cf/…`. */
const MODEL = /^[A-Za-z0-9@][A-Za-z0-9@._:/+-]{0,127}$/;

/** What has a name in the file. */
export type Named = "provider" | "pool" | "model" | "key" | "tenant";

/** What is wrong with a name, and what to do; undefined when nothing is. */
export function nameProblem(
  kind: Named,
  name: string,
): { readonly reason: string; readonly fix: string } | undefined {
  if (name.trim() === "") return { reason: `a ${kind} has an empty name`, fix: "give it a name" };
  if (!(kind === "model" ? MODEL : NARROW).test(name)) {
    const also = kind === "model" ? "@ : / + . _ -" : ". _ -";
    return {
      reason: `this name of a ${kind} is too long or has characters that do not fit`,
      fix: `begin with a letter or digit, then letters, digits and ${also}`,
    };
  }
  if (kind === "key" && /^tenant-\d+$/.test(name)) {
    return { reason: "this is what the signed keys of a tenant go by", fix: "rename it" };
  }
  if (kind === "key" || kind === "tenant") return undefined;
  if (RESERVED.has(name.toLowerCase())) {
    return {
      reason: "this name is reserved: paths of the gateway begin with it",
      fix: "rename it",
    };
  }
  if (kind === "provider" && name === DEMO_BACKEND_NAME) {
    return { reason: "this name is reserved for the embedded demo", fix: "rename it" };
  }
  return undefined;
}
