import type { Capabilities } from "./capabilities.ts";
import type { ErrorRule } from "./error-rule.ts";
import type { DialectId } from "./ids.ts";
import type { External, Local, Placement } from "./privacy.ts";
import type { Secret } from "./secret.ts";
import type { Ms } from "./units.ts";

/** How a backend wants its credential: which header carries it. */
export type AuthScheme =
  | "bearer"
  | "x-api-key"
  | "api-key"
  | "x-goog-api-key"
  /** AWS Signature Version 4: the credential signs, and is never sent. */
  | "sigv4"
  | "none";

export interface BackendFields {
  /** The provider's name in the configuration; unique, and a metric label. */
  readonly name: string;
  readonly dialect: DialectId;
  /** Further protocols that the same base URL serves, so that their callers need no translation. */
  readonly also: readonly DialectId[];
  readonly baseUrl: URL;
  readonly credential: Secret | undefined;
  readonly auth: AuthScheme;
  /** Stands before a call's path, `{model}` for the model: Azure's `/deployments/{model}`. */
  readonly modelPath: string | undefined;
  /** Added to the query of every call: Azure's `api-version=…`. */
  readonly query: string | undefined;
  /** Headers every call gets, after the caller's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** What this host takes and refuses, where that is not what its protocol's own vendor does. */
  readonly capabilities: Partial<Capabilities>;
  /** Where its machines are, as the operator calls it; undefined where nobody said. */
  readonly zone?: string | undefined;
  /** A unix socket to dial instead of the host of `baseUrl`. */
  readonly unix: string | undefined;
  /** An egress proxy. External backends only; the environment's proxies are never used. */
  readonly proxy: URL | undefined;
  /** The operator vouches for this host: a `local` backend may then have a public address. */
  readonly operatorControlled: boolean;
  /** An external one may stand at an address of a private network; false unless given. */
  readonly privateAddresses?: boolean | undefined;
  readonly deadlines: Deadlines;
  /** `done`: only the dialect's own end marker completes a stream. `finish`: a stop reason does. */
  readonly terminal: "done" | "finish";
  /** What its errors mean where we would take them for something else; none unless given. */
  readonly errorRules?: readonly ErrorRule[] | undefined;
}

/** How long each phase of an attempt may take, on the monotonic clock. */
export interface Deadlines {
  readonly connectMs: Ms;
  readonly firstEventMs: Ms;
  readonly stallMs: Ms;
  readonly totalMs: Ms;
}

/** One place a request can be sent. Nominal; made only in config/resolve.ts (tidy checks). */
export class Backend<out L extends Placement> {
  readonly #parsed = true;
  readonly placement: L;
  readonly name: string;
  readonly dialect: DialectId;
  readonly also: readonly DialectId[];
  readonly baseUrl: URL;
  readonly credential: Secret | undefined;
  readonly auth: AuthScheme;
  readonly modelPath: string | undefined;
  readonly query: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly capabilities: Partial<Capabilities>;
  readonly zone: string | undefined;
  readonly unix: string | undefined;
  readonly proxy: URL | undefined;
  readonly operatorControlled: boolean;
  readonly privateAddresses: boolean;
  readonly deadlines: Deadlines;
  readonly terminal: "done" | "finish";
  readonly errorRules: readonly ErrorRule[];

  private constructor(placement: L, fields: BackendFields) {
    this.placement = placement;
    this.name = fields.name;
    this.dialect = fields.dialect;
    this.also = fields.also;
    this.baseUrl = fields.baseUrl;
    this.credential = fields.credential;
    this.auth = fields.auth;
    this.modelPath = fields.modelPath;
    this.query = fields.query;
    this.headers = fields.headers;
    this.capabilities = fields.capabilities;
    this.zone = fields.zone;
    this.unix = fields.unix;
    this.proxy = fields.proxy;
    this.operatorControlled = fields.operatorControlled;
    this.privateAddresses = fields.privateAddresses ?? false;
    this.deadlines = fields.deadlines;
    this.terminal = fields.terminal;
    this.errorRules = fields.errorRules ?? [];
    Object.freeze(this);
  }

  static local(fields: BackendFields): Backend<Local> {
    return new Backend<Local>("local", fields);
  }
  static external(fields: BackendFields): Backend<External> {
    return new Backend<External>("external", fields);
  }
  /** For the runtime half of the pair assertion in upstream/open.ts. */
  static is(value: object): boolean {
    return #parsed in value && value.#parsed;
  }
}
export type AnyBackend = Backend<Local> | Backend<External>;
