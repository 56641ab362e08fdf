import type { Probe, ProbeAnswer } from "../../config/discover.ts";

/** Where a configuration comes from: files, and what answers on this machine. */
export interface Sources {
  /** @throws an error with a `code`, as node:fs does, when the file cannot be read. */
  readonly readFile: (path: string) => Promise<string>;
  readonly probe: Probe;
  /** Whether keys were ever made in the state directory. */
  readonly hasStoredKeys: () => boolean;
}

/**
 * All that one configuration was made of, in a form that can be sent. Every process that replays it
 * gets the same configuration, whatever has happened to the files since.
 */
export interface Inputs {
  readonly files: readonly (readonly [path: string, text: string])[];
  readonly probes: readonly (readonly [url: string, answer: ProbeAnswer | null])[];
  readonly storedKeys: boolean;
}

/** Sources that remember what they gave. */
export interface RecordingSources extends Sources {
  inputs(): Inputs;
}

export function recording({ readFile, probe, hasStoredKeys }: Sources): RecordingSources {
  const files = new Map<string, string>();
  const probes = new Map<string, ProbeAnswer | null>();
  let storedKeys = false;
  return {
    async readFile(path) {
      const text = await readFile(path);
      files.set(path, text);
      return text;
    },
    async probe(url) {
      const answer = await probe(url);
      probes.set(url, answer ?? null);
      return answer;
    },
    hasStoredKeys: () => (storedKeys = hasStoredKeys()),
    inputs: () => ({
      files: [...files].sort(byName),
      probes: [...probes].sort(byName),
      storedKeys,
    }),
  };
}

/** Sources that give again what was recorded, and have nothing else. */
export function replaying(inputs: Inputs): Sources {
  const files = new Map(inputs.files);
  const probes = new Map(inputs.probes);
  return {
    async readFile(path) {
      const text = files.get(path);
      if (text === undefined) throw new Error(`${path} was not read when this was recorded`);
      return text;
    },
    probe: async (url) => probes.get(url) ?? undefined,
    hasStoredKeys: () => inputs.storedKeys,
  };
}

/** Equal for equal inputs: a reload of the same bytes changes nothing. */
export function digestOf(inputs: Inputs): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(inputs)).digest("hex");
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : Number(one > other);
}
