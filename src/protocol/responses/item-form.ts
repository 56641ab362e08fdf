/** How an item was spelled, in what says nothing: only this wire's writer needs to know. */
export interface ItemForm {
  /** `type: "message"` stood there, which a message may leave out. */
  readonly typed: boolean;
  /** The content was a bare string. */
  readonly bare: boolean;
  readonly status?: string | undefined;
}

const GROUP = /^\d+( typed)?( bare)?(?: status=(.*))?$/s;

/**
 * The name of a group of blocks that were one item. It tells the item's form as well, so that
 * `ext` holds nothing that a translation would have to report as lost.
 */
export function groupOf(number: number, { typed, bare, status }: ItemForm): string {
  const flags = (typed ? " typed" : "") + (bare ? " bare" : "");
  return number + flags + (status === undefined ? "" : ` status=${status}`);
}

/** The form that a group's name tells; undefined where it is none of ours. */
export function formOf(group: string | undefined): ItemForm | undefined {
  const [all, typed, bare, status] = GROUP.exec(group ?? "") ?? [];
  if (all === undefined) return undefined;
  return { typed: typed !== undefined, bare: bare !== undefined, status };
}
