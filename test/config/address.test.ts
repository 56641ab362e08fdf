import { expect, test } from "bun:test";
import fc from "fast-check";
import { BlockList, isIP } from "node:net";
import {
  hostKind,
  isAddress,
  isMetadataAddress,
  isPrivateAddress,
} from "../../src/config/address.ts";

const privateRanges = new BlockList();
privateRanges.addSubnet("127.0.0.0", 8, "ipv4");
privateRanges.addSubnet("10.0.0.0", 8, "ipv4");
privateRanges.addSubnet("172.16.0.0", 12, "ipv4");
privateRanges.addSubnet("192.168.0.0", 16, "ipv4");
privateRanges.addSubnet("169.254.0.0", 16, "ipv4");
privateRanges.addAddress("::1", "ipv6");
privateRanges.addSubnet("fc00::", 7, "ipv6");
privateRanges.addSubnet("fe80::", 10, "ipv6");

function oracle(text: string): boolean {
  if (isMetadataAddress(text)) return false;
  return privateRanges.check(text, isIP(text) === 6 ? "ipv6" : "ipv4");
}

/** Bits beside the borders of the ranges, so that off-by-one errors are met often. */
const octet = fc.oneof(
  fc.nat(255),
  fc.constantFrom(0, 9, 10, 11, 15, 16, 31, 32, 127, 168, 169, 172, 192, 254),
);
const v4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));
const group = fc.oneof(
  fc.nat(0xffff),
  fc.constantFrom(0, 1, 0xfbff, 0xfc00, 0xfdff, 0xfe00, 0xfe7f, 0xfe80, 0xfebf, 0xfec0, 0xffff),
);
const groups = fc.tuple(group, group, group, group, group, group, group, group);

test("an address is private exactly when node's BlockList says so, in both families", () => {
  fc.assert(
    fc.property(v4, (address) => expect(isPrivateAddress(address)).toBe(oracle(address))),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(groups, (parts) => {
      const address = parts.map((part) => part.toString(16)).join(":");
      expect(isPrivateAddress(address)).toBe(oracle(address));
    }),
    { numRuns: 2000 },
  );
});

test("an IPv4 address keeps its kind when it is written as IPv4-mapped IPv6", () => {
  fc.assert(
    fc.property(v4, (address) => {
      const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
      const hex = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
      expect(isPrivateAddress(`::ffff:${address}`)).toBe(isPrivateAddress(address));
      expect(isPrivateAddress(hex)).toBe(isPrivateAddress(address));
      expect(isMetadataAddress(hex)).toBe(isMetadataAddress(address));
    }),
  );
});

test("what is an address is what node takes for one, however it is compressed or broken", () => {
  const piece = fc.constantFrom(
    "0",
    "1",
    "ff",
    "abcd",
    "12345",
    "",
    ":",
    "::",
    ".",
    "1.2.3.4",
    "01",
    "256",
    "%eth0",
    "x",
  );
  const soup = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(":"));
  const loose = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), soup, loose), (text) => {
      expect(isAddress(text)).toBe(isIP(text) !== 0);
    }),
    { numRuns: 5000 },
  );
  for (let before = 0; before <= 9; before++) {
    for (let after = 0; before + after <= 9; after++) {
      const text = `${Array(before).fill("a").join(":")}::${Array(after).fill("b").join(":")}`;
      expect([text, isAddress(text)]).toEqual([text, isIP(text) !== 0]);
    }
  }
});

test.each([
  ["100.64.0.1", "a carrier's NAT range is shared with strangers"],
  ["0.0.0.0", "the unspecified address"],
  ["::", "the unspecified address of IPv6"],
  ["2130706433", "loopback as one number"],
  ["0x7f.1", "loopback in hexadecimal, shortened"],
  ["0177.0.0.1", "loopback in octal"],
  ["10.0.0.1.", "a final dot"],
  ["localhost", "a name"],
  ["64:ff9b::a00:1", "a private address behind NAT64"],
  ["", "nothing"],
])("%p is not private: %s", (text) => {
  expect(isPrivateAddress(text)).toBe(false);
});

test("a zone does not change what an address is", () => {
  expect(isPrivateAddress("fe80::1%eth0")).toBe(true);
  expect(isPrivateAddress("2001:db8::1%eth0")).toBe(false);
});

const METADATA = [
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "168.63.129.16",
  "fd00:ec2::254",
  "fd20:ce::254",
  "FD00:EC2:0:0:0:0:0:254",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "64:ff9b::169.254.169.254",
  "2002:a9fe:a9fe::1",
  "::169.254.169.254",
];
test.each(METADATA)("%s hands out credentials: it is never private", (address) => {
  expect(isMetadataAddress(address)).toBe(true);
  expect(isPrivateAddress(address)).toBe(false);
});

test.each([
  ["localhost", "loopback"],
  ["LOCALHOST.", "loopback"],
  ["a.localhost", "loopback"],
  ["[::1]", "loopback"],
  ["127.255.255.254", "loopback"],
  ["[::ffff:7f00:1]", "loopback"],
  ["192.168.0.1", "private"],
  ["[fd12:3456::1]", "private"],
  ["8.8.8.8", "public"],
  ["100.64.1.1", "public"],
  ["metadata.google.internal.", "metadata"],
  ["Metadata", "metadata"],
  ["api.openai.com", "name"],
  ["localhost.example.com", "name"],
] as const)("the host %s is %s", (host, kind) => {
  expect(hostKind(host)).toBe(kind);
});
