import type { Ms } from "../../core/units.ts";
import type { Clock, Random, Timer } from "../../runtime/runtime.ts";
import type { Revision } from "../store/event.ts";
import { follow } from "../store/follow.ts";
import type { Store } from "../store/store.ts";
import { DENIAL_VIEW } from "./deny-events.ts";
import { KEY_VIEW } from "./key-event.ts";
import { restoreKeys } from "./key-import.ts";
import type { KeyReplica } from "./key-replica.ts";

export interface KeyLinkOptions {
  readonly store: Store;
  readonly replica: KeyReplica;
  readonly clock: Clock;
  readonly random: Random;
  /** Who brings back what a log has lost, as the log names it. */
  readonly node: string;
  /** Done first at each attempt; a sentence when the database cannot be used as it is. */
  readonly prepare: () => Promise<string | undefined>;
  /** Told of each trouble once, and with undefined when it is over. */
  readonly onTrouble: (problem: string | undefined) => void;
  /** How long at most until a change is seen that nobody announced. */
  readonly pollMs?: Ms | undefined;
}

/** What is known of the shared log. */
export interface LinkStatus {
  readonly isLinked: boolean;
  readonly revision: Revision;
  /** How long ago the copy surely was all of the log. */
  readonly behindMs: Ms;
  /** Why it is not linked; undefined while it is, and before the first attempt has ended. */
  readonly problem: string | undefined;
}

const POLL_MS: Ms = 400;
/** A server that comes back is not asked by all nodes in one moment, and by each once a second. */
const RETRY_MS: Ms = 1000;
const RETRY_SPREAD_MS: Ms = 500;
const PAGE = 500;

/** Keeps a node's copy of the shared keys in step with their log, from wherever it last came to. */
export class KeyLink {
  readonly #options: KeyLinkOptions;
  #revision: Revision;
  #seenAt: Ms;
  #isLinked = false;
  #trouble: string | undefined;
  #stopFollowing: (() => void) | undefined;
  #timer: Timer | undefined;
  #hasEnded = false;
  readonly #first = Promise.withResolvers<void>();

  constructor(options: KeyLinkOptions) {
    this.#options = options;
    this.#revision = options.replica.cursor.revision;
    this.#seenAt = options.clock.now();
  }

  /** Resolves once the copy has been in step, which may be never. */
  readonly inStep: Promise<void> = this.#first.promise;

  start(): void {
    void this.#attempt();
  }

  stop(): void {
    this.#hasEnded = true;
    this.#unlink();
    this.#timer?.cancel();
  }

  get status(): LinkStatus {
    const behindMs = this.#options.clock.now() - this.#seenAt;
    const [isLinked, revision, problem] = [this.#isLinked, this.#revision, this.#trouble];
    return { isLinked, revision, behindMs, problem };
  }

  async #attempt(): Promise<void> {
    try {
      const problem = await this.#options.prepare();
      if (problem !== undefined) return this.#fail(problem);
      await this.#align();
      if (!this.#hasEnded) this.#follow();
    } catch (error) {
      this.#fail(messageOf(error));
    }
  }

  /** Where the log does not hold the event that the copy last met, all is compared. */
  async #align(): Promise<void> {
    const { store, replica } = this.#options;
    if (replica.cursor.revision > 0 && (await this.#isSameLog())) return;
    await this.#restore();
    const head = await store.revision();
    // Read before the rows: what they know beyond it is told once more, and changes nothing.
    const [last] = head === 0 ? [] : await store.events(head - 1, 1);
    replica.beginAligning();
    for (let after = 0; ;) {
      const rows = await store.viewAfter(KEY_VIEW, after, PAGE);
      this.#tellStrange(replica.align(rows));
      after = rows.at(-1)?.revision ?? after;
      if (rows.length < PAGE) break;
    }
    replica.alignDenials((await store.view(DENIAL_VIEW)).values());
    replica.aligned({ revision: head, eventId: last?.id ?? "" });
  }

  /** Whether the log holds the event that the copy last met, where it met it. */
  async #isSameLog(): Promise<boolean> {
    const { store, replica } = this.#options;
    const { revision, eventId } = replica.cursor;
    if (revision === 0) return true;
    const [met] = await store.events(revision - 1, 1);
    return met?.id === eventId;
  }

  async #restore(): Promise<void> {
    const { store, replica, clock, node, onTrouble } = this.#options;
    const at = Math.floor(clock.wall());
    const count = await restoreKeys(store, replica, { node, at });
    if (count > 0) onTrouble(`the database had lost ${count} settings: brought back`);
  }

  #follow(): void {
    const { store, replica, clock, pollMs = POLL_MS } = this.#options;
    const read: Store["events"] = async (after, limit) => {
      const page = await store.events(after, limit);
      if (page.length > 0) return page;
      if (!(await this.#isSameLog())) throw new Error("the database holds another log than before");
      this.#inStep();
      return page;
    };
    this.#revision = replica.cursor.revision;
    const events = { events: read, onChange: store.onChange.bind(store) };
    this.#stopFollowing = follow(events, {
      clock,
      pollMs,
      after: this.#revision,
      onEvents: (page) => {
        this.#tellStrange(replica.apply(page));
        this.#revision = page.at(-1)?.revision ?? this.#revision;
      },
      onError: (error) => this.#fail(messageOf(error)),
    });
  }

  #inStep(): void {
    this.#seenAt = this.#options.clock.now();
    this.#isLinked = true;
    this.#first.resolve();
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#options.onTrouble(undefined);
  }

  /** Begins anew after a while, from the comparison on: it may be another database then. */
  #fail(problem: string): void {
    this.#unlink();
    if (this.#hasEnded) return;
    if (problem !== this.#trouble) this.#options.onTrouble(problem);
    this.#trouble = problem;
    this.#timer?.cancel();
    const { clock, random } = this.#options;
    const delay = RETRY_MS + random.next() * RETRY_SPREAD_MS;
    this.#timer = clock.after(delay, () => void this.#attempt());
  }

  #unlink(): void {
    this.#isLinked = false;
    this.#stopFollowing?.();
    this.#stopFollowing = undefined;
  }

  #tellStrange(ids: readonly string[]): void {
    for (const id of ids) this.#options.onTrouble(`the key ${id} is refused: it cannot be read`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown reason";
}
