import { answering, type Handlers } from "./channel.ts";
import type { SuccessorTalk } from "./orders.ts";
import { DONE, failed, type Serving, type Verdict } from "./serving.ts";

/** The running gateway whose place this process is to take. */
export interface Predecessor {
  /** The port it listens on; ours is the same, also where chance picked it. */
  readonly port: Promise<number>;
  /** Tells it that this process serves, and waits until it lets go of the rest. */
  serving(serving: Serving, version: string): Promise<void>;
  /** Tells it whether the admin port and the control socket could be had. */
  taken(problem: string | undefined): void;
  /** Tells it that this process cannot serve. */
  failed(reason: string): void;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
}

/** The talk with the process that started this one; undefined where nobody listens. */
export function findPredecessor(): Predecessor | undefined {
  if (process.send === undefined) return undefined;
  const port = Promise.withResolvers<number>();
  const served = Promise.withResolvers<SuccessorTalk["succeed"]["answer"]>();
  const letGo = Promise.withResolvers<void>();
  const took = Promise.withResolvers<Verdict>();
  const gone = Promise.withResolvers<void>();
  const handlers: Handlers<SuccessorTalk> = {
    succeed(order) {
      port.resolve(order.port);
      return served.promise;
    },
    take() {
      letGo.resolve();
      return took.promise;
    },
  };
  const say = (message: unknown): void => {
    if (process.connected) process.send?.(message);
  };
  process.on("message", answering<SuccessorTalk>(handlers, say));
  process.on("disconnect", () => gone.resolve());
  return {
    port: port.promise,
    serving({ listeners }, version) {
      served.resolve({ ...DONE, listeners, version });
      return Promise.race([letGo.promise, gone.promise]);
    },
    taken: (problem) => took.resolve(problem === undefined ? DONE : failed(problem)),
    failed: (reason) => served.resolve(failed(reason)),
    gone: gone.promise,
  };
}
