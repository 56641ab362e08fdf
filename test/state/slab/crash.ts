import type { Slab } from "../../../src/state/slab/slab.ts";

/** Thrown in the place of one write to shared memory, and of everything after it. */
export class Killed extends Error {}

type Typed = Int32Array | BigInt64Array | Float64Array | Uint8Array;
type Write = () => void;

export interface Seen {
  /** Words whose plain reads see nought, as they were before. */
  readonly old?: readonly number[];
  /** Told before each atomic read. */
  readonly load?: () => void;
}

/** The same slab, told of each write before it happens. */
export function watched(slab: Slab, write: Write, seen: Seen = {}): Slab {
  return {
    ...slab,
    i32: watchedArray(slab.i32, write, seen),
    b64: watchedArray(slab.b64, write),
    f64: watchedArray(slab.f64, write),
    u8: watchedArray(slab.u8, write),
  };
}

const behind = new WeakMap<object, Behind>();

interface Behind {
  readonly array: Typed;
  readonly write: Write;
  readonly load: Write | undefined;
}

function watchedArray<A extends Typed>(array: A, write: Write, { old = [], load }: Seen = {}): A {
  const nought = new Set<unknown>(old.map(String));
  const proxy = new Proxy(array, {
    get(target, key) {
      if (nought.has(key)) return 0;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (key === "set" || key === "fill") write();
        return Reflect.apply(value, target, args) as unknown;
      };
    },
    set(target, key, value) {
      write();
      return Reflect.set(target, key, value, target);
    },
  });
  behind.set(proxy, { array, write, load });
  return proxy;
}

const WRITES = ["store", "add", "compareExchange"] as const;

/** Runs `task` with Atomics that look through watched arrays and tell of writes as well. */
export function withWatching<T>(task: () => T): T {
  const real = { load: Atomics.load, store: Atomics.store, add: Atomics.add };
  const all = { ...real, compareExchange: Atomics.compareExchange };
  const patched = Atomics as unknown as Record<string, unknown>;
  for (const name of ["load", ...WRITES] as const) {
    patched[name] = (array: object, ...args: unknown[]): unknown => {
      const seen = behind.get(array);
      if (name === "load") seen?.load?.();
      else seen?.write();
      return Reflect.apply(all[name], Atomics, [seen?.array ?? array, ...args]) as unknown;
    };
  }
  try {
    return task();
  } finally {
    Object.assign(patched, all);
  }
}

/** Whether `task` was killed at a write. */
export function killed(task: () => void): boolean {
  try {
    withWatching(task);
    return false;
  } catch (cause) {
    if (cause instanceof Killed) return true;
    throw cause;
  }
}

/** Counts writes, kills at the one numbered `at` and refuses all after it. */
export function killAt(at: number, before: (write: number) => void = () => {}): Write {
  let writes = 0;
  let over = false;
  return () => {
    if (over) throw new Killed();
    const write = writes++;
    before(write);
    if (write !== at) return;
    over = true;
    throw new Killed();
  };
}
