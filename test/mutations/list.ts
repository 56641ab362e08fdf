/** A way to break the privacy guarantee, one at a time, and the nets that must notice. */
export interface Mutation {
  readonly what: string;
  readonly edits: readonly Edit[];
  /** Each of them must turn red. The first three nets run in any case, tests only when named. */
  readonly caughtBy: readonly Net[];
  /** Why nothing can notice: the mutated code does the same. */
  readonly equivalent?: string;
}
export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once, or `all` of them are replaced. */
  readonly replace: string;
  readonly by: string;
  readonly all?: true;
}
/** `bun check`, test/types/reject.test.ts, test/privacy.prop.test.ts, or another test's path. */
export type Net = "check" | "reject" | "property" | `test/${string}.test.ts`;

export interface Part {
  readonly title: string;
  readonly mutations: readonly Mutation[];
}

const CLASSIFY = "test/ingress/classify.test.ts";
const OPEN = "test/upstream/open.test.ts";
const EGRESS = "test/upstream/egress.test.ts";
const HEADERS = "test/upstream/headers.test.ts";
/** The headers of a client that go to any backend. */
const ALLOWED = '"accept", "idempotency-key"';
const TIDY = "test/tidy.test.ts";

function one(what: string, caughtBy: readonly Net[], ...edits: readonly Edit[]): Mutation {
  return { what, caughtBy, edits };
}
/** `unseal` no longer looks at what it is given. */
function unchecked(): Edit {
  const by = "backend.placement === undefined) {";
  return edit("core/request.ts", 'backend.placement !== "local") {', by);
}
function edit(file: string, replace: string, by: string): Edit {
  return { file: `src/${file}`, replace, by };
}

const TYPES: readonly Mutation[] = [
  one(
    "`Admits` is always `Placement`",
    ["check", "reject"],
    edit("core/privacy.ts", "[P] extends [Shareable] ?", "[P] extends [Privacy] ?"),
  ),
  one(
    "`Admits` distributes over a mixed class",
    ["check"],
    edit("core/privacy.ts", "[P] extends [Shareable] ?", "P extends Shareable ?"),
  ),
  one(
    "`Request` is not invariant",
    ["check"],
    edit("core/request.ts", "class Request<in out P ", "class Request<P "),
  ),
  one(
    "`Pool` is not invariant",
    ["check"],
    edit("core/pool.ts", "class Pool<in out P ", "class Pool<P "),
  ),
  one(
    "the private pool's filter is flipped",
    ["check", "reject", "property"],
    edit("core/pool.ts", 'backend.placement === "local" ?', 'backend.placement !== "local" ?'),
  ),
  one(
    "the private pool's filter is gone",
    ["check", "reject", "property"],
    edit(
      "core/pool.ts",
      'return backend.placement === "local" ? [{ ...lane, backend }] : [];',
      "return [{ ...lane, backend }];",
    ),
  ),
  one(
    "the same behind a cast",
    ["property", "test/router/decide.test.ts"],
    edit(
      "core/pool.ts",
      'return backend.placement === "local" ? [{ ...lane, backend }] : [];',
      "return [{ ...lane, backend: backend as never }];",
    ),
  ),
  one(
    "a pool's lanes are a mutable array",
    ["check"],
    edit(
      "core/pool.ts",
      "  readonly lanes: readonly Lane<Admits<P>>[];",
      "  readonly lanes: Lane<Admits<P>>[];",
    ),
  ),
  one(
    "a pool's lanes are not frozen at run time",
    ["test/router/decide.test.ts"],
    edit("core/pool.ts", "Object.freeze(lanes)", "lanes"),
  ),
  one(
    "a lane's backend can be replaced",
    ["check"],
    edit("core/pool.ts", "  readonly backend: Backend<L>;", "  backend: Backend<L>;"),
  ),
  one("the payload is a public field", ["check", "reject"], {
    ...edit("core/request.ts", "#payload", "payload"),
    all: true,
  }),
  one(
    "a request prints its payload",
    [OPEN],
    edit(
      "core/request.ts",
      "return `Request<${this.privacy}>(sealed)`;",
      "return new TextDecoder().decode(this.#payload);",
    ),
  ),
  one(
    "the constructor of `Request` is public",
    ["check", "reject"],
    edit("core/request.ts", "  private constructor(", "  constructor("),
  ),
  one(
    "the constructor of `Backend` is public",
    ["reject"],
    edit("core/backend.ts", "  private constructor(", "  constructor("),
  ),
  one(
    "a request's class is writable",
    ["check"],
    edit("core/request.ts", "  readonly privacy: P;", "  privacy: P;"),
  ),
  one(
    "a request is not frozen at run time",
    [OPEN],
    edit("core/request.ts", "    Object.freeze(this);\n", ""),
  ),
  one(
    "a backend's placement is writable",
    ["reject"],
    edit("core/backend.ts", "  readonly placement: L;", "  placement: L;"),
  ),
  one(
    "a backend is not frozen at run time",
    [OPEN],
    edit("core/backend.ts", "    Object.freeze(this);\n", ""),
  ),
  one(
    "`unseal` takes any backend",
    ["check", "reject"],
    edit(
      "core/request.ts",
      "unseal(backend: Backend<Admits<P>>)",
      "unseal(backend: Backend<Placement>)",
    ),
    edit("core/request.ts", "import type { Admits, Privacy,", "import type { Placement, Privacy,"),
  ),
  one(
    "`open` takes any backend",
    ["check", "reject"],
    edit("upstream/open.ts", "backend: Backend<Admits<P>>", "backend: Backend<Placement>"),
    edit(
      "upstream/open.ts",
      "import type { Admits, Privacy }",
      "import type { Placement, Privacy }",
    ),
  ),
  one(
    "`attempt` takes any lanes",
    ["check", "reject"],
    edit(
      "upstream/attempt.ts",
      "lanes: readonly Lane<Admits<P>>[]",
      "lanes: readonly Lane<Placement>[]",
    ),
  ),
  one(
    "the gateway gives the private arm the shareable pool",
    ["check", "property"],
    edit("gateway.ts", "(request, target.private, ", "(request, target.shareable, "),
  ),
  one(
    "the same behind a cast",
    ["property"],
    edit("gateway.ts", "(request, target.private, ", "(request, target.shareable as never, "),
  ),
  one(
    "the same, and the run-time check of `unseal` gone",
    ["property", OPEN],
    edit("gateway.ts", "(request, target.private, ", "(request, target.shareable as never, "),
    unchecked(),
  ),
  one(
    "a private attempt falls over to the shareable pool's lanes",
    ["check", "property"],
    edit(
      "gateway.ts",
      "routeAndAttempt(request, target.private, context)",
      "attempt(request, [...target.private.lanes, ...target.shareable.lanes], context)",
    ),
  ),
  one(
    "the same behind a cast",
    ["property"],
    edit(
      "gateway.ts",
      "routeAndAttempt(request, target.private, context)",
      "attempt(request, [...target.private.lanes, ...target.shareable.lanes] as never, context)",
    ),
  ),
  one(
    "a target's private pool is made as the shareable one",
    ["check", "property"],
    edit("router/routes.ts", "private: Pool.private(", "private: Pool.shareable("),
  ),
  one("the build does not check types first", ["test/types/build.test.ts"], {
    file: "build.ts",
    replace: "if (!types.success) process.exit(1);",
    by: "void types;",
  }),
  one("`bun check` does not read the type tests", ["test/types/build.test.ts"], {
    file: "tsconfig.json",
    replace: '"include": ["src", "test",',
    by: '"include": ["src",',
  }),
];

const CROSSING: readonly Mutation[] = [
  one(
    "the condition of `seal` is flipped",
    ["property", OPEN],
    edit("core/request.ts", 'marked === "shareable"', 'marked !== "shareable"'),
  ),
  one(
    "`seal` always makes a shareable request",
    ["property", OPEN],
    edit("core/request.ts", 'marked === "shareable"', "marked.length > 0"),
  ),
  one(
    "a rewritten request forgets its class",
    [OPEN],
    edit("core/request.ts", "new Request(this.privacy, ", 'new Request("shareable" as P, '),
  ),
  one(
    "the header is not asked",
    ["property"],
    edit("gateway.ts", 'header: http.headers.get("x-privacy"),', "header: null,"),
  ),
  one(
    "the body's mark is not asked",
    ["property"],
    edit("gateway.ts", "body: call.privacyMark,", "body: undefined,"),
  ),
  one(
    "the key is not asked",
    ["property"],
    edit("gateway.ts", "key: key.privacy,", "key: undefined,"),
  ),
  one(
    "the pool is not asked",
    ["property"],
    edit("gateway.ts", "target: target.privacy,", "target: undefined,"),
  ),
  one(
    "a shareable mark loosens what others say",
    ["property", CLASSIFY],
    edit(
      "ingress/classify.ts",
      '  if (target === "private"',
      '  if (header === "shareable" || body === "shareable") return "shareable";\n  if (target === "private"',
    ),
  ),
  one(
    "a mark that cannot be read counts as shareable",
    ["property", CLASSIFY],
    edit("ingress/classify.ts", '.toLowerCase() !== "shareable"', '.toLowerCase() === "private"'),
  ),
  one(
    "the default goes before the key",
    ["property", CLASSIFY],
    edit("ingress/classify.ts", "return key ?? fallback;", "return fallback ?? key;"),
  ),
  one(
    "an unmarked request is shareable beside a local backend",
    ["property", "test/config/resolve.test.ts"],
    edit(
      "config/privacy-default.ts",
      'return { default: "private", why:',
      'return { default: "shareable", why:',
    ),
  ),
  one(
    "placements are swapped where backends are made",
    ["property", "test/config/resolve.test.ts"],
    edit("config/resolve.ts", 'return placement === "local" ?', 'return placement !== "local" ?'),
  ),
];

const WAYS_ROUND: readonly Mutation[] = [
  one("the run-time check of `unseal` is gone", [OPEN], unchecked()),
  one(
    "`open` does not ask where a backend came from",
    [OPEN],
    edit("upstream/open.ts", "if (!Backend.is(backend))", "if (backend === undefined)"),
  ),
  one(
    "redirects are followed",
    ["property", OPEN],
    edit("upstream/open.ts", 'redirect: "manual",', 'redirect: "follow",'),
  ),
  one(
    "what `proxy` says is not said: the environment's is used",
    ["property", OPEN],
    edit("upstream/open.ts", "    proxy: egress.proxy,", "   "),
  ),
  one(
    "answers are decompressed",
    [OPEN],
    edit("upstream/open.ts", "    decompress: options.decodes,", "   "),
  ),
  one(
    "a local name is dialled as it is, unresolved",
    ["property", EGRESS],
    edit(
      "upstream/egress.ts",
      "const pinned = isNamed &&",
      'const pinned = placement !== "local" && isNamed &&',
    ),
  ),
  one(
    "only who is vouched for is checked",
    ["property", EGRESS],
    edit(
      "upstream/egress.ts",
      "const isOurs = backend.operatorControlled ||",
      "const isOurs = !backend.operatorControlled ||",
    ),
  ),
  one(
    "resolved addresses are not checked",
    ["property", EGRESS],
    edit(
      "upstream/egress.ts",
      "addresses.every(isPrivateAddress);",
      'addresses.every((address) => isPrivateAddress(address) || address !== "");',
    ),
  ),
  one(
    "one private address among them is enough",
    [EGRESS],
    edit(
      "upstream/egress.ts",
      "addresses.every(isPrivateAddress);",
      "addresses.some(isPrivateAddress);",
    ),
  ),
  one(
    "the name is dialled, not the address that was checked",
    ["property", EGRESS],
    edit(
      "upstream/egress.ts",
      "{ address, named: true, unix }",
      "{ address: address && hostOf(baseUrl), named: true, unix }",
    ),
  ),
  one(
    "an address once checked is dialled for ever",
    ["property", EGRESS],
    edit(
      "upstream/egress.ts",
      "clock.now() < cachedUntil ?",
      "(clock.now() < cachedUntil || true) ?",
    ),
  ),
  one(
    "an address is kept before it is checked",
    ["property", EGRESS],
    edit(
      "upstream/egress.ts",
      "    if (refused !== undefined) {\n      cached = undefined;",
      "    if (refused !== undefined) {\n      cached = at(addresses[0]!);\n      cachedUntil = clock.now() + RESOLVED_FOR_MS;",
    ),
  ),
  one(
    "an external name may lead into the machine room",
    ["property", EGRESS],
    edit("upstream/egress.ts", "isFree || addresses.every(isPublicAddress)", "isFree || true"),
  ),
  one(
    "a metadata service counts as private",
    [EGRESS, "test/config/address.test.ts"],
    edit(
      "config/address.ts",
      "groups !== undefined && !isMetadata(groups) &&",
      "groups !== undefined &&",
    ),
  ),
  one(
    "a public address may be called local",
    ["test/config/resolve.test.ts"],
    edit("config/providers.ts", 'return host === "public";', 'return host === "metadata";'),
  ),
  one(
    "a local backend may have a proxy, says the configuration",
    ["test/config/resolve.test.ts"],
    edit(
      "config/providers.ts",
      '  if (placement === "local") {\n    const reason = "a local backend cannot',
      '  if (placement === undefined) {\n    const reason = "a local backend cannot',
    ),
  ),
  one(
    "a local backend may have a proxy, says the egress",
    [EGRESS],
    edit(
      "upstream/egress.ts",
      'if (placement === "local" && proxy !== undefined)',
      'if (placement === "external" && name === "")',
    ),
    edit(
      "upstream/egress.ts",
      "const { baseUrl, placement, proxy, unix } = backend;",
      "const { baseUrl, name, placement, proxy, unix } = backend;",
    ),
  ),
  one(
    "`x-privacy` goes upstream",
    ["property", HEADERS],
    edit("upstream/headers.ts", ALLOWED, '"accept", "x-privacy", "idempotency-key"'),
  ),
  one(
    "the client's `authorization` goes upstream",
    ["property", HEADERS],
    edit("upstream/headers.ts", ALLOWED, '"accept", "authorization", "idempotency-key"'),
  ),
  one(
    "the client's `x-api-key` goes upstream",
    [HEADERS],
    edit("upstream/headers.ts", ALLOWED, '"accept", "x-api-key", "idempotency-key"'),
  ),
];

const NEVER = "visit.bodyBytes = body.byteLength;";
const ELSEWHERE: readonly Mutation[] = [
  one(
    "a backend is made outside the configuration",
    [TIDY],
    edit("router/routes.ts", "    backend,\n", "    backend: Backend.local(backend),\n"),
    edit(
      "router/routes.ts",
      "import type { AnyBackend } from",
      "import { type AnyBackend, Backend } from",
    ),
  ),
  one(
    "`fetch` is called elsewhere",
    [TIDY],
    edit(
      "gateway.ts",
      NEVER,
      `${NEVER}\n  if (visit.bodyBytes < 0) void fetch("http://[::1]:9/");`,
    ),
  ),
  one(
    "a backend's session is used elsewhere",
    [TIDY],
    edit(
      "upstream/try-lane.ts",
      "const egress = context.egressOf(lane);",
      'const egress = context.egressOf(lane);\n  if (clock.now() < 0) void egress.session.fetch("http://[::1]:9/", {});',
    ),
  ),
  one(
    "a payload is unsealed elsewhere",
    [TIDY],
    edit(
      "upstream/try-lane.ts",
      "const egress = context.egressOf(lane);",
      "const egress = context.egressOf(lane);\n  if (clock.now() < 0) request.unseal(lane.backend);",
    ),
  ),
  one(
    "a payload is looked at through `map` elsewhere",
    [TIDY],
    edit(
      "upstream/try-lane.ts",
      "const egress = context.egressOf(lane);",
      "const egress = context.egressOf(lane);\n  if (clock.now() < 0) request.map((payload) => payload);",
    ),
  ),
  one(
    "a request is sealed elsewhere",
    [TIDY],
    edit(
      "gateway.ts",
      NEVER,
      `${NEVER}\n  if (visit.bodyBytes < 0) Request.seal("shareable", call.envelope, body);`,
    ),
    edit(
      "gateway.ts",
      "import type { AnyRequest, Request } from",
      "import { type AnyRequest, Request } from",
    ),
  ),
  one(
    "a private request is cast to a shareable one",
    [TIDY, "property"],
    edit(
      "gateway.ts",
      "(request, target.private, ",
      "(request as unknown as Request<Shareable>, target.shareable, ",
    ),
    edit("gateway.ts", "import type { Privacy } from", "import type { Privacy, Shareable } from"),
  ),
];

/** Every mutation, by what it breaks. Names are unique within their part, but for "the same". */
export const PARTS: readonly Part[] = [
  { title: "The types", mutations: TYPES },
  { title: "Where untyped input gets its class", mutations: CROSSING },
  { title: "The ways round", mutations: WAYS_ROUND },
  { title: "One place for each", mutations: ELSEWHERE },
];
