/** The signals a gateway acts on. Another would end it, or is the runtime's. */
const CAUGHT = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
export type Caught = (typeof CAUGHT)[number];

/** Signals from the moment they are caught: one that comes early waits for whom it is meant for. */
export interface Signals {
  /** Gives every signal to `act`, those that wait first. Called once. */
  each(act: (signal: Caught) => void): void;
}

export function catchSignals(): Signals {
  const early: Caught[] = [];
  let tell = (signal: Caught): void => void early.push(signal);
  for (const signal of CAUGHT) process.on(signal, () => tell(signal));
  return {
    each(act) {
      tell = act;
      for (const signal of early.splice(0)) act(signal);
    },
  };
}
