import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { isPrivateAddress } from "../../src/config/address.ts";
import { makeAuthority } from "../faultd/certificate.ts";
import { type Faultd, type FaultdOptions, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { chatBody, COMPLETION, UPSTREAM_KEY } from "./config.ts";
import { startBinary } from "./harness.ts";

const authority = makeAuthority();
const stranger = makeAuthority("A Stranger");
const folder = mkdtempSync(join(tmpdir(), "interlock-tls-"));
const env = { NODE_EXTRA_CA_CERTS: join(folder, "authority.pem") };
beforeAll(() => writeFileSync(env.NODE_EXTRA_CA_CERTS, authority.cert));
afterAll(() => rmSync(folder, { recursive: true }));

interface Asked extends FaultdOptions {
  /** The host of the base URL. */
  readonly name: string;
  readonly provider: object;
}

/** One request of one binary to a host of that name, over TLS. */
async function asked({ name, provider, ...options }: Asked) {
  using upstream: Faultd = startFaultd(() => json(COMPLETION), options);
  const base_url = `https://${name}:${upstream.port}/v1`;
  const far = { protocol: "openai", base_url, api_key: UPSTREAM_KEY, ...provider };
  const config = {
    providers: { far },
    models: { m: { provider: "far" } },
    privacy: { default: "shareable" },
  };
  await using binary = await startBinary({ config, env });
  const answer = await fetch(`${binary.origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: chatBody(),
  });
  const text = await answer.text();
  const hosts = upstream.exchanges.flatMap(({ request }) =>
    request.headers.filter(([header]) => header.toLowerCase() === "host").map(([, host]) => host),
  );
  const { serverNames, port, connections } = upstream;
  return { status: answer.status, text, hosts, serverNames, port, dialled: connections.length };
}

for (const placement of ["local", "external"] as const) {
  describe(`a host known by name, ${placement}`, () => {
    const name = "localhost";
    const provider = { placement };

    test("is dialled at its address, called by its name, and believed by its certificate", async () => {
      const told = await asked({ name, provider, identity: authority.issue([name]) });
      expect(told).toMatchObject({ status: 200, text: COMPLETION });
      expect(new Set(told.serverNames)).toEqual(new Set([name]));
      expect(told.hosts).toEqual([`${name}:${told.port}`]);
    });

    test.each([
      ["of another name", () => authority.issue(["other.example"])],
      ["of the address that is dialled, not of the name", () => authority.issue(["127.0.0.1"])],
      ["that a stranger vouches for", () => stranger.issue([name])],
    ])("is not believed by a certificate %s", async (_, identity) => {
      const told = await asked({ name, provider, identity: identity() });
      expect(told.status).toBe(502);
      expect(JSON.parse(told.text).error.code).toBe("upstream_tls");
      expect(told.hosts).toEqual([]);
    });
  });
}

/** This machine's own name mostly leads to an address of a private network. */
const own = hostname().toLowerCase();
const addresses = await Bun.dns.lookup(own, { family: 4 }).catch(() => []);
const [{ address = "" } = {}] = addresses;
const isNear = isPrivateAddress(address) && own !== "localhost";
const skipped = isNear ? "" : " (skipped: this machine's name leads to no private address)";

describe.skipIf(!isNear)(
  `an external host whose name leads into a private network${skipped}`,
  () => {
    const identity = authority.issue([own]);

    test("is not dialled", async () => {
      const provider = { placement: "external" };
      const told = await asked({ name: own, provider, identity, address });
      expect(told.status).toBe(502);
      expect(JSON.parse(told.text).error.code).toBe("upstream_unreachable");
      expect(told.dialled).toBe(0);
    });

    test("is dialled there when the operator says so", async () => {
      const provider = { placement: "external", private_addresses: true };
      const told = await asked({ name: own, provider, identity, address });
      expect(told).toMatchObject({ status: 200, text: COMPLETION });
      expect(new Set(told.serverNames)).toEqual(new Set([own]));
    });
  },
);
