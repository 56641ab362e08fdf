import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";

/** What travels between two processes of ours, one JSON object each. */
type Envelope =
  | { readonly kind: "ask"; readonly id: number; readonly body: unknown }
  | { readonly kind: "answer"; readonly id: number; readonly body: unknown };

/** Orders by name, each with the answer it gets. */
export type Talk = Readonly<Record<string, { readonly order: object; readonly answer: object }>>;

export interface ChannelOptions {
  readonly clock: Clock;
  /** Hands a message to the other process; may throw when that is gone. */
  readonly send: (message: unknown) => void;
}

/** The asking end of a talk. A question gets exactly one answer, or undefined: never a throw. */
export class Channel<T extends Talk> {
  readonly #options: ChannelOptions;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #nextId = 1;
  #closed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** The answer; undefined when there is none within `limit`, or the other process is gone. */
  ask<K extends keyof T & string>(
    name: K,
    order: T[K]["order"],
    limit: Ms,
  ): Promise<T[K]["answer"] | undefined> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<T[K]["answer"] | undefined>();
    if (this.#closed) return Promise.resolve(undefined);
    const timer = this.#options.clock.after(limit, () => this.#settle(id, undefined));
    this.#waiting.set(id, (answer) => {
      timer.cancel();
      resolve(answer as T[K]["answer"] | undefined);
    });
    const envelope: Envelope = { kind: "ask", id, body: { name, order } };
    try {
      this.#options.send(envelope);
    } catch {
      this.#settle(id, undefined); // The process is gone, which its exit tells as well.
    }
    return promise;
  }

  /** Takes what came in; anything but an answer to a question still open is left aside. */
  receive(message: unknown): void {
    const envelope = envelopeOf(message);
    if (envelope?.kind === "answer") this.#settle(envelope.id, envelope.body);
  }

  /** No answer will come any more. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined);
  }

  #settle(id: number, answer: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.(answer);
  }
}

/** What the answering end does with each order. */
export type Handlers<T extends Talk> = {
  readonly [K in keyof T & string]: (order: T[K]["order"]) => Promise<T[K]["answer"]>;
};

/** The answering end: every order it knows gets one answer. An unknown one gets none. */
export function answering<T extends Talk>(
  handlers: Handlers<T>,
  send: (message: unknown) => void,
): (message: unknown) => void {
  return (message) => {
    const envelope = envelopeOf(message);
    if (envelope?.kind !== "ask") return;
    const { name, order } = envelope.body as { readonly name: string; readonly order: object };
    if (!Object.hasOwn(handlers, name)) return;
    const { id } = envelope;
    void handlers[name]!(order).then((body) => send({ kind: "answer", id, body }));
  };
}

function envelopeOf(message: unknown): Envelope | undefined {
  if (typeof message !== "object" || message === null || !("kind" in message)) return undefined;
  if (message.kind !== "ask" && message.kind !== "answer") return undefined;
  return message as Envelope;
}
