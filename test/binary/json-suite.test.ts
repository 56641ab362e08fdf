import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fixture, haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";
import { json } from "../faultd/script.ts";
import { type Bench, startBench } from "./bench.ts";
import { COMPLETION } from "./config.ts";

const FOLDER = fixture("json/test_parsing");
const NAMES = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => name.endsWith(".json"))
  : [];

/** The oracle: strict UTF-8, then the runtime's own strict parser. */
function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** A vector as the value of a field of an otherwise good request. */
function embedded(vector: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('{"model":"m","messages":[],"x":'), vector, Buffer.from("}")]);
}

describe.skipIf(!haveRecordings)(`JSONTestSuite ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
    bench.play(json(COMPLETION));
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  test("is there", () => expect(NAMES.length).toBe(318));

  for (const name of NAMES) {
    test(`${name}: accepted untouched or refused with 400, by its first letter`, async () => {
      const body = embedded(readFileSync(join(FOLDER, name)));
      const before = bench.upstream.exchanges.length;
      const { status, bytes } = await bench.post(body);
      if (name.startsWith("y_")) expect(status).toBe(200);
      if (name.startsWith("n_"))
        expect({ status, parses: parses(body) }).toEqual({ status: 400, parses: false });
      expect([200, 400]).toContain(status);
      expect(bench.upstream.exchanges.length - before).toBe(status === 200 ? 1 : 0);
      if (status === 400)
        return expect(JSON.parse(bytes.toString())).toHaveProperty("error.message");
      expect(
        Buffer.from(bench.upstream.exchanges.at(-1)?.request.body ?? []).equals(body),
      ).toBeTrue();
    });
  }

  for (const name of NAMES.filter((name) => name.startsWith("n_"))) {
    test(`${name}: refused as a whole body`, async () => {
      const { status } = await bench.post(readFileSync(join(FOLDER, name)));
      expect(status).toBe(400);
    });
  }
});
