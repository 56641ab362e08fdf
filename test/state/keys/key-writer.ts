// A process that makes, rotates and revokes keys until it is killed, or as often as it is told. It
// says on standard output what was committed, so that nothing it said may be missing afterwards.
import { writeSync } from "node:fs";
import { systemClock } from "../../../src/runtime/clock.ts";
import { systemRandom } from "../../../src/runtime/random.ts";
import { KeyStore } from "../../../src/state/keys/key-store.ts";

const [directory = "", label = "", times = "Infinity"] = process.argv.slice(2);
const store = new KeyStore({ directory, random: systemRandom });
const say = (words: string): void => void writeSync(1, `${words}\n`);
for (let i = 0; i < Number(times); i++) {
  const { key, text } = store.create({ name: `${label}-${i}` }, systemClock.wall());
  say(`created ${text}`);
  if (i % 3 === 1) {
    const rotated = store.rotate(key.id, { now: systemClock.wall(), overlap: 60_000 });
    if ("refused" in rotated) throw new Error(rotated.refused);
    say(`created ${rotated.text}`);
  }
  if (i % 3 === 2) {
    store.revoke(key.id, systemClock.wall());
    say(`revoked ${text}`);
  }
}
store.close();
