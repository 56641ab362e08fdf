import { bare, type JsonObject, type NewEvent, type Revision } from "./event.ts";

/** One row of a view: what its events left. */
export interface ViewRow {
  readonly id: string;
  /** The event that last changed it. */
  readonly revision: Revision;
  readonly body: JsonObject;
}

/** What an event does to the row it is about. */
type Change = "replace" | "merge" | "drop";

/** Words after the point of an event's kind; any other word changes no view. */
const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  ["created", "replace"],
  ["set", "replace"],
  ["updated", "merge"],
  ["rotated", "merge"],
  ["revoked", "merge"],
  ["enabled", "merge"],
  ["disabled", "merge"],
  ["removed", "drop"],
]);

/** What `event` makes of a row; undefined when it changes no view. */
export interface Effect {
  readonly view: string;
  /** The row's new body; undefined when it is gone. */
  apply(before: JsonObject | undefined): JsonObject | undefined;
}

/**
 * The only place where events become state, for every engine. A change to a row that is not there
 * changes nothing: a late event must not bring back what was removed.
 */
export function effectOf({ kind, body }: Pick<NewEvent, "kind" | "body">): Effect | undefined {
  const point = kind.indexOf(".");
  const change = CHANGES.get(kind.slice(point + 1));
  if (point <= 0 || change === undefined) return undefined;
  const view = kind.slice(0, point);
  switch (change) {
    case "replace":
      return { view, apply: () => bare(body) };
    case "merge":
      return { view, apply: (before) => (before === undefined ? undefined : bare(before, body)) };
    case "drop":
      return { view, apply: () => undefined };
  }
}
