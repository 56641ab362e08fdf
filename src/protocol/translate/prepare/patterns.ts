const compiled = new Map<string, RegExp>();

/** Whether `text` as a whole is of a capability record's pattern; those are few and our own. */
export function fitsPattern(text: string, pattern: string): boolean {
  let whole = compiled.get(pattern);
  if (whole === undefined) compiled.set(pattern, (whole = new RegExp(`^(?:${pattern})$`)));
  return whole.test(text);
}

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** The SHA-256 of `text` in letters and digits that every name and id pattern allows. */
export function digestOf(text: string): string {
  const bytes = new Bun.CryptoHasher("sha256").update(text).digest();
  let digest = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held & 31) << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) digest += BASE32[(held >> (bits - 5)) & 31];
  }
  return digest;
}
