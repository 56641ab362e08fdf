/**
 * The deny-set in Postgres, as a migration. Denials are written with plain SQL by whoever may:
 *
 *     INSERT INTO interlock_deny VALUES (42, 'spend') ON CONFLICT (tenant) DO UPDATE …;
 *     DELETE FROM interlock_deny WHERE tenant = 42;
 *
 * Triggers note each change under a revision, those of a statement at once. The revision is a row
 * that a change locks until it commits, so revisions become visible in their order: a sequence
 * would let a later one show first, and whoever went on behind it would miss the earlier. They
 * start at the clock, so that a database made anew does not count through numbers that a follower
 * knows from the last one. The last 100,000 are kept: whoever is further behind reads everything.
 */
export const DENY_SCHEMA_UP = `
CREATE TABLE interlock_deny (
  tenant numeric(20) PRIMARY KEY CHECK (tenant BETWEEN 0 AND 18446744073709551615),
  reason text NOT NULL
);
CREATE TABLE interlock_deny_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  revision bigint NOT NULL,
  pruned bigint NOT NULL
);
INSERT INTO interlock_deny_head (revision, pruned)
  SELECT now, now FROM (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now
  ) AS start;
CREATE TABLE interlock_deny_changes (
  revision bigint PRIMARY KEY,
  tenant numeric(20),
  reason text
);
CREATE FUNCTION interlock_deny_note(count bigint) RETURNS bigint AS $$
DECLARE
  last bigint;
BEGIN
  UPDATE interlock_deny_head SET revision = revision + count RETURNING revision INTO last;
  IF last / 1000 <> (last - count) / 1000 THEN
    DELETE FROM interlock_deny_changes WHERE revision <= last - 100000;
    UPDATE interlock_deny_head SET pruned = greatest(pruned, last - 100000);
  END IF;
  PERFORM pg_notify('interlock_deny', last::text);
  RETURN last - count;
END $$ LANGUAGE plpgsql SET search_path FROM CURRENT;
CREATE FUNCTION interlock_deny_inserted() RETURNS trigger AS $$
DECLARE
  noted bigint := (SELECT count(*) FROM after_rows);
  start bigint;
BEGIN
  IF noted > 0 THEN
    start := interlock_deny_note(noted);
    INSERT INTO interlock_deny_changes
      SELECT start + row_number() OVER (), tenant, reason FROM after_rows;
  END IF;
  RETURN NULL;
END $$ LANGUAGE plpgsql SET search_path FROM CURRENT;
CREATE FUNCTION interlock_deny_deleted() RETURNS trigger AS $$
DECLARE
  noted bigint := (SELECT count(*) FROM before_rows);
  start bigint;
BEGIN
  IF noted > 0 THEN
    start := interlock_deny_note(noted);
    INSERT INTO interlock_deny_changes
      SELECT start + row_number() OVER (), tenant, NULL FROM before_rows;
  END IF;
  RETURN NULL;
END $$ LANGUAGE plpgsql SET search_path FROM CURRENT;
CREATE FUNCTION interlock_deny_updated() RETURNS trigger AS $$
DECLARE
  noted bigint := (SELECT count(*) FROM (
    SELECT tenant, NULL AS reason FROM before_rows
      WHERE tenant NOT IN (SELECT tenant FROM after_rows)
    UNION ALL SELECT tenant, reason FROM after_rows
  ) AS noted_rows);
  start bigint;
BEGIN
  IF noted > 0 THEN
    start := interlock_deny_note(noted);
    INSERT INTO interlock_deny_changes
      SELECT start + row_number() OVER (), tenant, reason FROM (
    SELECT tenant, NULL AS reason FROM before_rows
      WHERE tenant NOT IN (SELECT tenant FROM after_rows)
    UNION ALL SELECT tenant, reason FROM after_rows
  ) AS noted_rows;
  END IF;
  RETURN NULL;
END $$ LANGUAGE plpgsql SET search_path FROM CURRENT;
CREATE FUNCTION interlock_deny_truncated() RETURNS trigger AS $$
BEGIN
  INSERT INTO interlock_deny_changes VALUES (interlock_deny_note(1) + 1, NULL, NULL);
  RETURN NULL;
END $$ LANGUAGE plpgsql SET search_path FROM CURRENT;
CREATE TRIGGER interlock_deny_inserted AFTER INSERT ON interlock_deny
  REFERENCING NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION interlock_deny_inserted();
CREATE TRIGGER interlock_deny_deleted AFTER DELETE ON interlock_deny
  REFERENCING OLD TABLE AS before_rows
  FOR EACH STATEMENT EXECUTE FUNCTION interlock_deny_deleted();
CREATE TRIGGER interlock_deny_updated AFTER UPDATE ON interlock_deny
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION interlock_deny_updated();
CREATE TRIGGER interlock_deny_truncated AFTER TRUNCATE ON interlock_deny
  FOR EACH STATEMENT EXECUTE FUNCTION interlock_deny_truncated();
`;

/** Takes all of it away again. */
export const DENY_SCHEMA_DOWN = `
DROP TABLE IF EXISTS interlock_deny, interlock_deny_head, interlock_deny_changes;
DROP FUNCTION IF EXISTS interlock_deny_inserted(), interlock_deny_deleted(),
  interlock_deny_updated(), interlock_deny_truncated(), interlock_deny_note(bigint);
`;

/** The channel that says there is something new. */
export const DENY_CHANNEL = "interlock_deny";
