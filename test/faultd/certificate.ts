import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A certificate and its key, in PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** One that vouches for others, made anew for each run: no key is kept anywhere. */
export interface Authority {
  readonly cert: string;
  /** A certificate for these names and addresses. */
  issue(names: readonly string[]): Identity;
}

const OID = {
  commonName: "550403",
  ecdsaWithSha256: "2a8648ce3d040302",
  basicConstraints: "551d13",
  subjectAltName: "551d11",
} as const;

/** RFC 5280, as much of it as OpenSSL asks for. */
export function makeAuthority(name = "Test Authority"): Authority {
  const own = pair();
  const isAuthority = sequence(tagged(0x01, Buffer.from([0xff])));
  const issuer = { name, key: own.privateKey };
  const extensions = [extension(OID.basicConstraints, isAuthority)];
  return {
    cert: certificate({ subject: name, holder: own.publicKey, extensions }, issuer),
    issue(names) {
      const { publicKey, privateKey } = pair();
      const extra = [extension(OID.subjectAltName, sequence(...names.map(generalName)))];
      const of = { subject: names[0] ?? "", holder: publicKey, extensions: extra };
      return {
        cert: certificate(of, issuer),
        key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      };
    },
  };
}

function pair() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

interface Subject {
  readonly subject: string;
  readonly holder: KeyObject;
  readonly extensions: readonly Buffer[];
}
interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

let serial = 0x10;

function certificate({ subject, holder, extensions }: Subject, issuer: Issuer): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([++serial])),
    algorithm,
    distinguished(issuer.name),
    sequence(time("20200101000000Z"), time("20991231235959Z")),
    distinguished(subject),
    holder.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign("sha256", body, issuer.key)]);
  const text = sequence(body, algorithm, tagged(0x03, signature)).toString("base64");
  const lines = text.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

function distinguished(name: string): Buffer {
  const value = tagged(0x0c, Buffer.from(name));
  return sequence(tagged(0x31, sequence(oid(OID.commonName), value)));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), tagged(0x04, value));
}

function generalName(name: string): Buffer {
  const parts = name.split(".").map(Number);
  const isAddress = parts.length === 4 && parts.every((part) => part >= 0 && part < 256);
  return isAddress ? tagged(0x87, Buffer.from(parts)) : tagged(0x82, Buffer.from(name));
}

function time(text: string): Buffer {
  return tagged(0x18, Buffer.from(text));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, "hex"));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** X.690 §8.1: tag, length, contents. */
function tagged(tag: number, contents: Buffer): Buffer {
  const { length } = contents;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), contents]);
}
