import type { Ms } from "../../core/units.ts";
import type { Clock, Timer } from "../../runtime/runtime.ts";
import type { DenyEvent, DenySource, OnDenyEvent, Revision } from "./deny-source.ts";

/** What one connection to a server is given to work with. */
export interface DenySession {
  /** What is known already; undefined asks for all. */
  readonly after: Revision | undefined;
  readonly tell: OnDenyEvent;
  /** Resolves when the session is to end. */
  readonly ended: Promise<void>;
  readonly hasEnded: () => boolean;
  /** Resolves after `delay`, or when the session is to end. */
  readonly sleep: (delay: Ms, wake?: Promise<void>) => Promise<void>;
}

export interface RemoteDenialsOptions {
  readonly name: string;
  /** Never behind itself: what it asks is on this machine. */
  readonly local?: boolean | undefined;
  readonly clock: Clock;
  /**
   * Follows the server until the session is to end. Whatever it throws is what broke; a return
   * before the end asks for a session that begins with everything.
   */
  readonly follow: (session: DenySession) => Promise<void>;
}

/** The wait before the first and before every further try: features.md d-R5. */
const BACKOFF_FIRST_MS: Ms = 1_000;
const BACKOFF_MAX_MS: Ms = 30_000;

/** Denials of a server elsewhere: connects, goes on where it was, and tries again for ever. */
export class RemoteDenials implements DenySource {
  readonly name: string;
  readonly local: boolean;
  readonly #options: RemoteDenialsOptions;
  #after: Revision | undefined;
  #backoffMs = BACKOFF_FIRST_MS;
  #end = Promise.withResolvers<void>();
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RemoteDenialsOptions) {
    this.name = options.name;
    this.local = options.local ?? false;
    this.#options = options;
  }

  start(onEvent: OnDenyEvent, after?: Revision): void {
    this.#after = after;
    this.#stopped = false;
    this.#end = Promise.withResolvers<void>();
    this.#running = this.#run(onEvent);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#end.resolve();
    await this.#running;
  }

  async #run(onEvent: OnDenyEvent): Promise<void> {
    while (!this.#stopped) {
      const broken = await this.#session(onEvent);
      if (this.#stopped) return;
      if (broken === undefined) {
        this.#after = undefined;
        continue;
      }
      onEvent({ kind: "broken", detail: broken });
      await this.#sleep(this.#backoffMs);
      this.#backoffMs = Math.min(2 * this.#backoffMs, BACKOFF_MAX_MS);
    }
  }

  /** What broke; undefined when the session came to an end of its own. */
  async #session(onEvent: OnDenyEvent): Promise<string | undefined> {
    let over = false;
    const session: DenySession = {
      after: this.#after,
      // What arrives late is dropped: by then the next session may have said more.
      tell: (event) => {
        if (!over && !this.#stopped) this.#tell(event, onEvent);
      },
      ended: this.#end.promise,
      hasEnded: () => this.#stopped,
      sleep: (delay, wake) => this.#sleep(delay, wake),
    };
    try {
      await this.#options.follow(session);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : "unknown reason";
    } finally {
      over = true;
    }
  }

  #tell(event: DenyEvent, onEvent: OnDenyEvent): void {
    if ("revision" in event) this.#after = event.revision;
    if (event.kind === "fresh") this.#backoffMs = BACKOFF_FIRST_MS;
    onEvent(event);
  }

  async #sleep(delay: Ms, wake?: Promise<void>): Promise<void> {
    const slept = Promise.withResolvers<void>();
    const timer: Timer = this.#options.clock.after(delay, slept.resolve);
    await Promise.race([slept.promise, this.#end.promise, ...(wake === undefined ? [] : [wake])]);
    timer.cancel();
  }
}

/** A server did not answer in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

export interface Deadline {
  readonly clock: Clock;
  readonly deadlineMs: Ms;
  /** What was asked, for the error. */
  readonly asked: string;
}

/**
 * The answer, or a DeadlineError: a server that is frozen gives no error of its own, ever
 * (reliability.md §0.4).
 */
export async function within<T>(
  answer: PromiseLike<T>,
  { clock, deadlineMs, asked }: Deadline,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(deadlineMs, () =>
    late.reject(new DeadlineError(`${asked}: no answer in ${deadlineMs} ms`)),
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    timer.cancel();
  }
}
