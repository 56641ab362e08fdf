import * as z from "zod/mini";
import { ERROR_MEANINGS } from "../core/error-rule.ts";
import { DIALECT_IDS } from "../core/ids.ts";
import { network } from "./address.ts";
import {
  anyText,
  decimal,
  flag,
  form,
  list,
  named,
  oneOf,
  period,
  port,
  scalar,
  section,
  text,
  unsigned64,
  whole,
  wholeOr,
  word,
} from "./leaves.ts";

// The whole file, top to bottom, is `FILE` at the end. Every name may be left out; the default
// stands behind it. "Not active yet" marks what is read and checked but changes nothing so far:
// `interlock validate` lists what of that a file uses.

// A file is read once: compiling these schemas to functions would cost more than it saves.
z.config({ jitless: true });

const DAY_SECONDS = 86_400;
const seconds = whole(1, DAY_SECONDS);
const count = whole(1, 1_000_000_000);
const privacy = word("private", "shareable");
const streamFailure = word("surface", "graceful", "abort");
const onLoss = word("allow", "warn", "refuse");
const onExhausted = word("finish", "hard_stop");
const strategy = word(
  "priority",
  "weighted",
  "round_robin",
  "least_connections",
  "latency_optimized",
  "cost_optimized",
);
const variable = anyText;
const zone = form("a zone like eu or us-east", /^[a-z0-9][a-z0-9-]{0,31}$/);
const hostName = form("a host name without scheme or port", /^[A-Za-z0-9.\-_:[\]]{1,255}$/);
const date = form(
  "a date as 2030-12-31, or with a time as 2030-12-31T23:59:59Z",
  /^\d{4}-[01]\d-[0-3]\d(?:T[0-2]\d:[0-5]\d:[0-6]\d(?:Z|[+-]\d\d:\d\d))?$/, // RFC 3339
);

/** How long each phase of an answer may take. */
const TIMEOUT = section({
  connect_seconds: scalar(seconds), // to open a connection; 5
  request_seconds: scalar(seconds), // until the answer begins; a buffered one begins complete; 600
  stall_seconds: scalar(seconds), // of silence inside a streamed answer; 360
  streaming_seconds: scalar(seconds), // for the whole answer; 3600
});

const SERVER = section({
  host: scalar(text), // 127.0.0.1; anything but loopback needs keys
  port: scalar(port), // 8080
  metrics_port: scalar(wholeOr(port, "off")), // 9090; off closes it
  metrics_host: scalar(text), // 127.0.0.1; anything but loopback needs an admin token
  workers: scalar(wholeOr(whole(1, 1024), "auto")), // 1; auto: one for each core
  max_connections: scalar(whole(1, 1_000_000)), // 10000
  timeout_seconds: scalar(seconds), // as resilience.timeout.request_seconds, which wins
  drain_seconds: scalar(whole(0, DAY_SECONDS)), // 330, for requests in flight at SIGTERM
});

/** Limits of a provider or the gateway; not active yet. */
const RATE_LIMIT = section({
  requests_per_minute: scalar(count),
  tokens_per_minute: scalar(count),
});

const meaning = word(...ERROR_MEANINGS);

/** What errors of a host mean, where we would take them for something else. */
const ERROR_RULES = list(
  z.strictObject({
    status: scalar(whole(400, 599)), // all that is given must hold
    code: scalar(text),
    type: scalar(text),
    message: scalar(text), // stands in the message, in any case
    means: scalar(meaning),
  }),
);

/** A known name (catalogue.ts) needs only its key; any other needs protocol, base_url and key. */
const PROVIDER = section({
  enabled: scalar(flag), // true; a variable unset inside a disabled block is no error
  protocol: scalar(word(...DIALECT_IDS)),
  base_url: scalar(anyText), // up to and with the version: https://api.openai.com/v1
  endpoint: scalar(anyText), // another name for base_url
  api_key: scalar(anyText), // "${OPENAI_API_KEY}"; a literal key is warned about
  api_key_env: scalar(variable), // the name of a variable, in place of api_key
  auth: scalar(word("bearer", "x-api-key", "api-key", "x-goog-api-key", "none")),
  region: scalar(form("a region like eu-central-1", /^[a-z]{2}(?:-[a-z]+)+-\d$/)), // Bedrock's
  placement: scalar(word("local", "external")), // local for loopback and sockets, else external
  zone: scalar(zone), // where its machines are: eu, us-east; local backends are in local too
  private_addresses: scalar(flag), // an external host may resolve to a private network's addresses
  operator_controlled: scalar(flag), // this host is ours, whatever its address
  unix: scalar(anyText), // a socket to dial instead of the host of base_url
  proxy: scalar(anyText), // an egress proxy; external only
  terminal: scalar(word("done", "finish")), // what completes a stream: the end marker, or a reason
  api_version: scalar(text), // Azure's: then models are deployments; its v1 surface needs none
  timeout_seconds: scalar(seconds), // another name for timeout.request_seconds
  timeout: TIMEOUT,
  error_map: named(scalar(meaning)), // a code, a type or a status: "1113": billing
  error_rules: ERROR_RULES, // asked before error_map
  max_retries: scalar(whole(0, 100)), // not active yet; see resilience.retry.max_attempts
  rate_limit: RATE_LIMIT,
});

/** A name clients use, and the model behind it. */
const MODEL = z.strictObject({
  provider: scalar(anyText),
  upstream_model: scalar(text), // how the provider calls it; the same name unless given
  context_max: scalar(count), // tokens it accepts
  max_output_tokens: scalar(count), // tokens it writes at most; a translated request is cut to it
  default_max_tokens: scalar(count), // 4096, where a number must be and a caller gave none
  reasoning: scalar(word("none", "effort", "budget", "either", "adaptive")), // how it is asked for
  web_search: scalar(flag), // whether it has one of its own; the vendors' catalogue rows say so
  prompt_caching: scalar(flag), // false drops cache marks from translated requests
  max_concurrent: scalar(count), // not active yet
});

/** Several models under one name, tried by priority, shared by weight. */
const POOL = z.strictObject({
  strategy: scalar(strategy), // priority and weight always apply; other rankings not active yet
  privacy: scalar(privacy), // private: every request that names the pool is private
  stream_failure: scalar(streamFailure),
  on_loss: scalar(onLoss),
  members: list(
    z.strictObject({
      model: scalar(anyText),
      priority: scalar(whole(0, 1_000_000)), // 0; lower is tried first
      weight: scalar(whole(1, 1_000_000)), // 1; the share among members of one priority
      context_max: scalar(count), // the model's own, unless given
    }),
  ),
});

/** What may be spent; both must hold where both are given. Of the same period each. */
const BUDGET = section({
  usd: scalar(decimal(0, 9_000_000)), // by the rate card; models without a price are refused
  tokens: scalar(whole(0, 1_000_000_000_000)),
  on_exhausted: scalar(onExhausted), // as budgets.on_exhausted, unless given
  period: scalar(period), // total; daily and its like are UTC's, rolling:30d is any 30 days
});

/** What a key, or all keys of a tenant together, may use up. */
const LIMITS = {
  requests_per_minute: scalar(count), // at once or spread; exact over all workers
  tokens_per_minute: scalar(count),
  max_concurrent: scalar(count), // requests at the same time
  budget: BUDGET,
};

/** What a key, or a tenant, may use. */
const RIGHTS = {
  allow: list(scalar(text)), // pools, models, providers it may use; all unless given
  zones: list(scalar(zone)), // where its requests may go; anywhere unless given
};

/** A virtual key. The key comes in one of three ways: itself, a variable's name, its SHA-256. */
const KEY_FIELDS = {
  key: scalar(anyText),
  key_env: scalar(variable),
  key_sha256: scalar(anyText),
  sha256: scalar(anyText), // another name for key_sha256
  privacy: scalar(privacy), // private: all its requests are
  ...RIGHTS,
  stream_failure: scalar(streamFailure),
  on_loss: scalar(onLoss), // warn: what a translation may lose before it refuses
  ...LIMITS,
  expires: scalar(date),
};
const KEY = z.strictObject({
  ...KEY_FIELDS,
  tenant: scalar(anyText), // whose it is: one of tenants
});

/** A namespace of its own: nothing of it shows to another, and its keys share its limits. */
const TENANT = z.strictObject({
  enabled: scalar(flag), // false: all its keys are refused, be they configured, stored or signed
  tenant_id: scalar(unsigned64), // its number in signed keys; its name, where that is a number
  privacy: scalar(word("private")), // all its requests are; a tenant can only tighten
  ...RIGHTS, // allow: of what all may use; its own models and pools it may in any case
  deny: list(scalar(text)), // of what all may use, what it may not
  stream_failure: scalar(streamFailure), // where its key says nothing, and before its pool
  on_loss: scalar(onLoss), // likewise
  own_keys: list(scalar(text)), // providers it may bring keys for; ours is in x-interlock-key then
  markup_percent: scalar(decimal(0, 100_000)), // added to what its keys and itself are charged
  ...LIMITS, // of all its keys together, beside each key's own
  models: named(MODEL), // its own names, for its keys alone; they go before the same names of all
  pools: named(POOL), // members are its own models or those of all
  keys: named(z.strictObject(KEY_FIELDS)),
});

/** Where it is said which tenants are shut out; all of these count, and the admin API besides. */
const DENY = section({
  file: scalar(anyText), // lines as `deny 42 fraud`, `restore 42`; followed as it changes
  nats: section({
    url: scalar(anyText), // nats://user:password@host:4222, or tls://
    bucket: scalar(form("letters, digits, - and _", /^[\w-]{1,255}$/)), // ai-gateway
  }), // keys blackhole.{tenant}: spend, fraud, or {"reason": …}
  postgres: section({ url: scalar(anyText) }), // rows of interlock_deny: interlock migrate run
  snapshot: scalar(anyText), // the directory of what they said last; the state directory's denied/
  max_staleness_seconds: scalar(whole(1, 365 * DAY_SECONDS)), // 900; on_stale applies from then on
  on_stale: scalar(word("refuse", "serve")), // refuse: signed keys get 503, all others go on
});

/** Keys that whoever holds a signing key makes: `bai_v1`. Their payload names the tenant. */
const SIGNED_KEYS = section({
  public_keys: list(
    z.strictObject({
      kid: scalar(whole(0, 4_294_967_295)),
      key: scalar(anyText), // 32 bytes as base64: interlock key pair prints it
    }),
  ),
  deny_file: scalar(anyText), // another name for deny.file
  deny: DENY,
  default_tenant: scalar(anyText), // the entry by which each tenant is held that has none
  known_tenants_only: scalar(flag), // false; true takes no key of a tenant without an entry
  privacy: scalar(privacy),
  ...RIGHTS,
  ...LIMITS, // of each tenant that has no entry in tenants
});

/** Callers' own keys for a provider: not ours by their form, and passed on to it as they came. */
const OWN_KEYS = section({
  providers: list(scalar(text)), // where a path names one of these, as /openai/v1/…; else 401
  privacy: scalar(privacy),
  requests_per_minute: scalar(count), // of each such key, about
});

/** Around every key's budget, be it configured, stored or signed. */
const BUDGETS = section({
  alerts: section({
    enabled: scalar(flag), // true: a line in the log and a metric, and the webhook if there is one
    at_percent: list(scalar(whole(1, 100))), // 50, 80, 100: each is told once a period
    webhook_url: scalar(anyText), // gets each as JSON; https, or http on a private network
    webhook_secret: scalar(anyText), // signs it: x-interlock-signature is HMAC-SHA256 of the body
  }),
  on_exhausted: scalar(onExhausted), // finish; hard_stop ends an answer where its budget ends
  status: scalar(oneOf(402, 429)), // 429, which SDKs know as insufficient_quota; or 402
});

/** What each request used, kept in SQLite in the state directory. */
const LEDGER = section({
  enabled: scalar(flag), // true
  on_failure: scalar(word("strict", "grace")), // strict: without it no key starts a request
  grace_seconds: scalar(seconds), // 300; with grace, keys go on for so long
  grace_usd: scalar(decimal(0, 9_000_000)), // 1; of each key meanwhile, in each worker
});

/** Where a model goes that `models` and `pools` do not name. */
const ROUTING = section({
  strategy: scalar(strategy), // rankings other than priority and weighted: not active yet
  default_provider: scalar(anyText), // none: an unknown model is refused
  fallback_enabled: scalar(flag), // true; false tries one backend only
  health_check_interval_seconds: scalar(seconds), // not active yet
  rules: list(
    z.strictObject({
      name: scalar(text),
      condition: scalar(text), // model starts_with 'x'; also ends_with, contains, equals, ==
      target_provider: scalar(anyText),
      priority: scalar(whole(0, 1_000_000)), // 0; lower is asked first, then the file's order
    }),
  ),
});

const RESILIENCE = section({
  timeout: TIMEOUT,
  retry: section({
    max_attempts: scalar(whole(1, 100)), // 3 backends at most see one request
    deadline_seconds: scalar(seconds), // 120; after it no further attempt is begun
    initial_delay_ms: scalar(whole(0, 600_000)), // these three: not active yet
    max_delay_ms: scalar(whole(0, 600_000)),
    backoff_multiplier: scalar(decimal(1, 100)),
  }),
  circuit_breaker: section({
    enabled: scalar(flag),
    failure_threshold: scalar(whole(1, 1_000_000)),
    success_threshold: scalar(whole(1, 1_000_000)),
    timeout_seconds: scalar(seconds),
  }), // not active yet
  bulkhead: section({
    enabled: scalar(flag),
    max_concurrent: scalar(count),
    max_queue: scalar(whole(0, 1_000_000_000)),
  }), // not active yet
});

const RELAY = section({
  heartbeat_seconds: scalar(whole(0, 3600)), // 15 of silence; 0 sends none
  on_revoked: scalar(word("cut", "finish")), // cut: an answer ends with its key, within a second
  client_stall_seconds: scalar(seconds), // 60 in which a client takes nothing
  max_buffer_bytes: scalar(whole(1024, 1_073_741_824)), // 16 MiB of a buffered answer
});

const CACHE = section({
  enabled: scalar(flag),
  backend: scalar(word("memory", "redis")),
  max_size_mb: scalar(whole(1, 1_048_576)),
  default_ttl_seconds: scalar(whole(1, 31_536_000)),
  semantic_cache: section({
    enabled: scalar(flag),
    similarity_threshold: scalar(decimal(0, 1)),
  }),
}); // not active yet

const SECURITY = section({
  enabled: scalar(flag), // what is active below stays so even when false
  headers: section({
    allowed_hosts: list(scalar(hostName)), // accepted in Host; none given accepts any
    remove_sensitive: scalar(flag), // always done: headers pass by an allow-list only
    add_security_headers: scalar(flag), // not active yet
  }),
  validation: section({
    max_request_size_bytes: scalar(whole(1024, 1_073_741_824)), // 32 MiB
    max_depth: scalar(whole(1, 1000)), // 64 levels of JSON
    max_messages: scalar(count), // not active yet
    max_message_length: scalar(count), // not active yet
  }),
  ip_filter: section({
    enabled: scalar(flag),
    allow: list(scalar(network)),
    deny: list(scalar(network)),
    whitelist: list(scalar(network)), // another name for allow
    blacklist: list(scalar(network)), // another name for deny
  }), // not active yet
  request_signing: section({
    enabled: scalar(flag),
    algorithm: scalar(word("hmac-sha256")),
    header_name: scalar(form("the name of an HTTP header", /^[A-Za-z0-9-]{1,64}$/)),
  }), // not active yet
  rate_limit: section({
    // Of one address, before its key is looked at; burst_size is not active yet.
    enabled: scalar(flag),
    requests_per_minute: scalar(count),
    burst_size: scalar(count),
  }), // not active yet
  secrets: section({
    encryption_key: scalar(anyText),
    rotation_days: scalar(whole(1, 36_500)),
  }), // not active yet
});

const TELEMETRY = section({
  logging: section({
    level: scalar(word("error", "warn", "info", "debug", "trace")), // info
    format: scalar(word("json", "text", "pretty")), // json; others are not active yet
    pii_redaction: scalar(flag), // not active yet; no line carries a payload in any case
  }),
  metrics: section({
    enabled: scalar(flag), // true; false is server.metrics_port: off
    port: scalar(port), // another name for server.metrics_port
  }),
  tracing: section({
    enabled: scalar(flag),
    jaeger_endpoint: scalar(text),
    sample_rate: scalar(decimal(0, 1)),
  }), // not active yet
});

/** Who may use the admin API; nobody unless a token is given here or in INTERLOCK_ADMIN_TOKEN. */
const ADMIN = section({
  tokens: named(
    z.strictObject({
      token: scalar(anyText), // at least 16 characters; or
      token_env: scalar(variable), // the variable that holds it
      role: scalar(word("admin", "viewer")), // admin; a viewer may read, and change nothing
      tenant: scalar(anyText), // one of tenants: it sees and makes that tenant's stored keys alone
    }),
  ),
});

/** What several nodes share. Without a database each keeps its own files in its state directory. */
const STATE = section({
  database_url: scalar(anyText), // PostgreSQL; DATABASE_URL is used where the file names none
  max_connections: scalar(whole(1, 100_000)), // 4, of each node, and no fewer
  budget_slice_percent: scalar(decimal(0, 100)), // 5: used before others are asked
  peers: list(scalar(anyText)), // other nodes, without a database: http://10.0.0.2:9090
  peer_secret: scalar(anyText), // what all of them know, at least 32 characters
});

/** The same under another gateway's names. */
const DATABASE = section({
  url: scalar(anyText), // another name for state.database_url
  max_connections: scalar(whole(1, 100_000)), // another name for state.max_connections
  min_connections: scalar(whole(0, 100_000)), // not active yet
});

/** The whole configuration file. */
export const FILE = z.strictObject({
  server: SERVER,
  privacy: section({ default: scalar(privacy) }), // of a request that nothing marks
  providers: named(PROVIDER),
  models: named(MODEL),
  pools: named(POOL),
  keys: named(KEY), // none: anybody on this machine may use the gateway, and nobody else
  signed_keys: SIGNED_KEYS,
  tenants: named(TENANT),
  own_keys: OWN_KEYS, // none are taken unless this says so
  budgets: BUDGETS,
  routing: ROUTING,
  resilience: RESILIENCE,
  relay: RELAY,
  metering: section({ include_usage: scalar(word("inject", "off")) }), // off
  on_loss: scalar(onLoss), // warn: refuses what breaks a promise; refuse: what changes an answer
  stream_failure: scalar(streamFailure), // surface: an error event, and never a false end
  stealth: scalar(flag), // false; true adds no header of ours to an answer
  cache: CACHE,
  security: SECURITY,
  telemetry: TELEMETRY,
  ledger: LEDGER,
  admin: ADMIN,
  state: STATE,
  database: DATABASE,
});

/** A file that has the right shape. What it says is judged by resolve. */
export type FileConfig = z.infer<typeof FILE>;
type Entry<T> = NonNullable<NonNullable<T>[keyof NonNullable<T>]>;
/** An entry of `providers:`; null when nothing stands behind the name. */
export type FileProvider = Entry<FileConfig["providers"]>;
/** An entry of `models:`. */
export type FileModel = Entry<FileConfig["models"]>;
/** An entry of `pools:`. */
export type FilePool = Entry<FileConfig["pools"]>;
/** An entry of `keys:`. */
export type FileKey = Entry<FileConfig["keys"]>;
/** An entry of `tenants:`. */
export type FileTenant = Entry<FileConfig["tenants"]>;
/** A `timeout:` block. */
export type FileTimeout = NonNullable<FileProvider["timeout"]>;
