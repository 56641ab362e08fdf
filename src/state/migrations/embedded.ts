import { DENY_SCHEMA_DOWN, DENY_SCHEMA_UP } from "../keys/deny-postgres-schema.ts";
import type { Migration } from "./migration.ts";

/** The schema of this program, oldest step first. A step that was released never changes. */
export const EMBEDDED: readonly Migration[] = [
  {
    version: 1,
    name: "ledger",
    holds: ["usage_fact", "attempt_fact"],
    up: `
CREATE TABLE usage_fact (
  seq $serial,
  id TEXT NOT NULL UNIQUE,
  request_id TEXT NOT NULL,
  at_ms $int NOT NULL,
  node TEXT NOT NULL,
  tenant TEXT,
  key_id TEXT,
  requested_model TEXT NOT NULL,
  billed_model TEXT NOT NULL,
  provider TEXT NOT NULL,
  protocol TEXT NOT NULL,
  privacy TEXT,
  stream $int NOT NULL,
  input_tokens $int NOT NULL,
  output_tokens $int NOT NULL,
  cache_read_tokens $int NOT NULL,
  cache_write_tokens $int NOT NULL,
  cache_write_long_tokens $int NOT NULL,
  reasoning_tokens $int NOT NULL,
  provenance TEXT NOT NULL,
  status $int NOT NULL,
  latency_ms $int NOT NULL,
  first_event_ms $int,
  attempts $int NOT NULL,
  charged_nano $int NOT NULL,
  card TEXT NOT NULL
) $strict;
CREATE INDEX usage_fact_at ON usage_fact (at_ms);
CREATE INDEX usage_fact_key ON usage_fact (key_id, at_ms);
CREATE TABLE attempt_fact (
  fact_id TEXT NOT NULL,
  n $int NOT NULL,
  at_ms $int NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  fault TEXT,
  cost TEXT NOT NULL,
  input_tokens $int NOT NULL,
  output_tokens $int NOT NULL,
  cache_read_tokens $int NOT NULL,
  cache_write_tokens $int NOT NULL,
  cache_write_long_tokens $int NOT NULL,
  reasoning_tokens $int NOT NULL,
  first_event_ms $int,
  PRIMARY KEY (fact_id, n)
) $strict;
CREATE INDEX attempt_fact_at ON attempt_fact (at_ms);
CREATE TABLE balance (
  tenant TEXT NOT NULL,
  key_id TEXT NOT NULL,
  facts $int NOT NULL,
  input_tokens $int NOT NULL,
  output_tokens $int NOT NULL,
  charged_nano $int NOT NULL,
  PRIMARY KEY (tenant, key_id)
) $strict;
CREATE TABLE progress (
  name TEXT PRIMARY KEY,
  position $int NOT NULL
) $strict;
`,
    down: `
DROP TABLE progress;
DROP TABLE balance;
DROP TABLE attempt_fact;
DROP TABLE usage_fact;
`,
  },
  {
    version: 2,
    name: "events",
    holds: ["event_log"],
    up: `
CREATE TABLE event_log (
  revision $int PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  at_ms $int NOT NULL,
  node TEXT NOT NULL
) $strict;
CREATE TABLE event_head (
  one $int PRIMARY KEY CHECK (one = 1),
  revision $int NOT NULL
) $strict;
INSERT INTO event_head (one, revision) VALUES (1, 0);
CREATE TABLE projection (
  view_name TEXT NOT NULL,
  id TEXT NOT NULL,
  revision $int NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (view_name, id)
) $strict;
`,
    down: `
DROP TABLE projection;
DROP TABLE event_head;
DROP TABLE event_log;
`,
  },
  {
    version: 3,
    name: "audit",
    holds: ["audit_log"],
    up: `
CREATE TABLE audit_log (
  seq $int PRIMARY KEY,
  at_ms $int NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL
) $strict;
CREATE TABLE audit_head (
  one $int PRIMARY KEY CHECK (one = 1),
  seq $int NOT NULL,
  hash TEXT NOT NULL
) $strict;
INSERT INTO audit_head (one, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
`,
    down: `
DROP TABLE audit_head;
DROP TABLE audit_log;
`,
  },
  {
    version: 4,
    name: "registers",
    holds: ["register"],
    up: `
CREATE TABLE register (
  key TEXT PRIMARY KEY,
  value TEXT,
  stamp TEXT NOT NULL,
  changed $int NOT NULL UNIQUE
) $strict;
CREATE TABLE register_head (
  one $int PRIMARY KEY CHECK (one = 1),
  changed $int NOT NULL
) $strict;
INSERT INTO register_head (one, changed) VALUES (1, 0);
`,
    down: `
DROP TABLE register_head;
DROP TABLE register;
`,
  },
  {
    version: 5,
    name: "view revisions",
    holds: [],
    up: "CREATE INDEX projection_revision ON projection (view_name, revision);",
    down: "DROP INDEX projection_revision;",
  },
  {
    ...{ version: 6, name: "denials", holds: ["interlock_deny"], only: "postgres" },
    up: DENY_SCHEMA_UP,
    down: DENY_SCHEMA_DOWN,
  },
  {
    version: 7,
    name: "budget shares",
    holds: [],
    up: `
CREATE TABLE budget_share (
  budget TEXT NOT NULL,
  period $int NOT NULL,
  node TEXT NOT NULL,
  used $int NOT NULL,
  held $int NOT NULL,
  at_ms $int NOT NULL,
  PRIMARY KEY (budget, period, node)
) $strict;
CREATE INDEX budget_share_at ON budget_share (at_ms);
CREATE TABLE budget_share_head (
  one $int PRIMARY KEY CHECK (one = 1),
  rounds $int NOT NULL
) $strict;
INSERT INTO budget_share_head (one, rounds) VALUES (1, 0);
CREATE TABLE node_seen (
  node TEXT PRIMARY KEY,
  at_ms $int NOT NULL
) $strict;
`,
    down: `
DROP TABLE node_seen;
DROP TABLE budget_share_head;
DROP TABLE budget_share;
`,
  },
];
