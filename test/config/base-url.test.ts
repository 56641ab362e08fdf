import { expect, test } from "bun:test";
import fc from "fast-check";
import { readBaseUrl, readProxyUrl } from "../../src/config/base-url.ts";

/** Ways to write 169.254.169.254 that a URL parser or a resolver brings back to it. */
const METADATA_HOSTS = [
  "169.254.169.254",
  "2852039166",
  "0xa9fea9fe",
  "0xA9.0xFE.0xA9.0xFE",
  "0251.0376.0251.0376",
  "169.254.43518",
  "169.16689662",
  "0251.254.0xa9.254",
  "169.254.169.254.",
  "[::ffff:169.254.169.254]",
  "[::ffff:a9fe:a9fe]",
  "[0:0:0:0:0:ffff:a9fe:a9fe]",
  "[64:ff9b::a9fe:a9fe]",
  "[fd00:ec2::254]",
  "[FD00:0EC2:0:0::0254]",
  "１６９.２５４.１６９.２５４",
  "169。254。169。254",
  "metadata.google.internal",
  "METADATA.google.internal.",
  "metadata",
  "instance-data.ec2.internal",
];
test.each(METADATA_HOSTS)(
  "the metadata service is refused as %s, with and without a port",
  (host) => {
    for (const url of [`http://${host}/v1`, `https://${host}:8443`, `HTTP://${host}`]) {
      const read = readBaseUrl(url);
      expect(read.ok ? read.url.href : read.reason).toContain("metadata service");
    }
  },
);

test("no spelling of a metadata address in any base gets through", () => {
  const spell = (value: number) =>
    fc.constantFrom(String(value), `0x${value.toString(16)}`, `0${value.toString(8)}`);
  const hosts = fc
    .tuple(spell(169), spell(254), spell(169), spell(254), fc.constantFrom("", "."))
    .map(([a, b, c, d, dot]) => `${a}.${b}.${c}.${d}${dot}`);
  fc.assert(fc.property(hosts, (host) => expect(readBaseUrl(`http://${host}/`).ok).toBe(false)));
});

test.each([
  ["http://good.example\\@169.254.169.254/", "backslash"],
  ["http:\\\\169.254.169.254/", "backslash"],
  ["http://169.254.169\t.254/", "tab"],
  ["ht\ntp://example.com", "line break"],
  [" https://example.com", "space"],
  ["https://example.com/\u0000", "space, tab"],
  ["https://user:pass@example.com/v1", "user name"],
  ["https://key@example.com/v1", "user name"],
  ["https://@example.com/v1", "user name"],
  ["https://example.com/v1?key=1", "query"],
  ["https://example.com/v1#x", "fragment"],
  ["https:/example.com/v1", "not an http"],
  ["https:example.com", "not an http"],
  ["https:///example.com", "not an http"],
  ["//example.com", "not an http"],
  ["ftp://example.com", "not an http"],
  ["file:///etc/passwd", "not an http"],
  ["data:text/plain,x", "not an http"],
  ["example.com/v1", "not an http"],
  ["https://exa mple.com", "space"],
  ["https://example.com:99999/", "not a URL"],
  ["https://[::1/", "not a URL"],
  ["", "empty"],
])("%p is refused for its %s", (text, why) => {
  const read = readBaseUrl(text);
  expect(read.ok ? "accepted" : read.reason).toContain(why);
});

test("what is accepted is dialled as it was written: same scheme, host, port and path", () => {
  const url = fc.webUrl({
    withQueryParameters: false,
    withFragments: false,
    validSchemes: ["http", "https"],
  });
  fc.assert(
    fc.property(url, (text) => {
      const read = readBaseUrl(text);
      if (!read.ok) return;
      expect(read.url.href.replace(/\/$/, "")).toBe(new URL(text).href.replace(/\/+$/, ""));
    }),
  );
});

test("nothing that is read makes it throw, and a refusal never repeats the text", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl().map((url) => `${url}?k=`),
      ),
      fc.uuid(),
      (text, secret) => {
        const read = readBaseUrl(text + secret);
        if (!read.ok) expect(read.reason + read.fix).not.toContain(secret);
      },
    ),
  );
});

test("a proxy may carry a user name and password, and nothing else that is odd", () => {
  expect(readProxyUrl("http://user:pass@proxy.example.com:3128").ok).toBe(true);
  expect(readProxyUrl("http://user:pass@169.254.169.254:3128").ok).toBe(false);
  expect(readProxyUrl("socks5://proxy.example.com").ok).toBe(false);
});
