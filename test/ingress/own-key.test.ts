import { expect, test } from "bun:test";
import fc from "fast-check";
import { ownKeyOf } from "../../src/ingress/own-key.ts";

const PLACE = { provider: "openai", digest: "d" };
const given = (text: string) => ownKeyOf({ header: "x-api-key", text }, PLACE);

/** As vendors make them: letters, digits, `-`, `_`, behind a mark of their own. */
const vendors = fc
  .tuple(
    fc.constantFrom("sk-", "sk-ant-api03-", "AIza", "gsk_", ""),
    fc.base64String({ minLength: 20 }),
  )
  .map(([mark, text]) => mark + text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
const ours = fc.oneof(
  fc.constantFrom("bai_v1.7.AAAAAAAAAAAAAAAAAAAAAA.AAAA", "bai_v2.1.x", "BAI_V1.1.x"),
  fc.stringMatching(/^ilk_[0-9a-f]{16}_[0-9a-f]{64}$/),
);

test("a vendor's key is taken as it is, and shows itself to nobody who prints it", () => {
  fc.assert(
    fc.property(vendors, (text) => {
      fc.pre(!/^(?:bai|ilk)_/i.test(text) && !/[^\w-](?:bai|ilk)_/i.test(text));
      const own = given(text);
      expect(own?.secret.expose()).toBe(text);
      expect(JSON.stringify(own)).not.toContain(text);
    }),
  );
});

test("nothing that holds a key of ours is, whatever stands round it", () => {
  fc.assert(
    fc.property(fc.string(), ours, fc.string(), (before, key, after) => {
      expect(given(before + key + after)).toBeUndefined();
    }),
  );
});

test("two headers that were joined, a space or a control character are no key", () => {
  fc.assert(
    fc.property(
      vendors,
      fc.constantFrom(",", ", ", " ", "\t", "\n", "\r\n", "\u0000", "é"),
      (text, by) => {
        expect(given(text + by + text)).toBeUndefined();
      },
    ),
  );
});
