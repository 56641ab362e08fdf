import type { Engine } from "../store/sql.ts";

/** One step of the schema, the same text for both engines. */
export interface Migration {
  /** Ours count from 1; those an operator adds begin with the moment they were made. */
  readonly version: number;
  readonly name: string;
  readonly up: string;
  readonly down: string;
  /** Tables that taking it back empties for good. */
  readonly holds: readonly string[];
  /** The engine it is for, where it is for one: the other takes it for done. */
  readonly only?: Engine | undefined;
}

/** Words in a migration that the engines spell differently. */
const WORDS: Readonly<Record<Engine, Readonly<Record<string, string>>>> = {
  sqlite: { $int: "INTEGER", $serial: "INTEGER PRIMARY KEY AUTOINCREMENT", $strict: "STRICT" },
  postgres: {
    $int: "BIGINT",
    $serial: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    $strict: "",
  },
};

export function spelled(sql: string, engine: Engine): string {
  return sql.replace(/\$\w+/g, (word) => WORDS[engine][word] ?? word);
}

/** What a database remembers of a migration, so that a changed one is noticed. */
export function checksumOf({ up, down }: Pick<Migration, "up" | "down">): string {
  return new Bun.CryptoHasher("sha256").update(`${up}\0${down}`).digest("hex").slice(0, 16);
}
