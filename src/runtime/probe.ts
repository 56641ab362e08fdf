import type { Ms } from "../core/units.ts";

/** An engine on this machine answers sooner, or a start does not wait for it. */
const PROBE_MS: Ms = 300;
const ANSWER_CHARS_MAX = 1_000_000;

/** Asks a loopback URL once; undefined when nothing sensible answers in time. Sends no payload. */
export async function systemProbe(
  url: string,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), PROBE_MS);
  try {
    const { signal } = controller;
    const response = await fetch(url, { signal, redirect: "manual", proxy: false });
    const body = await response.text();
    return { status: response.status, body: body.slice(0, ANSWER_CHARS_MAX) };
  } catch {
    return undefined; // Nothing listens there, or nothing that speaks HTTP: there is no engine.
  } finally {
    clearTimeout(timer);
  }
}
