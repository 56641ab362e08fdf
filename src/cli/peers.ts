import type { Secret } from "../core/secret.ts";
import type { Ms } from "../core/units.ts";
import type { Clock, Log, Network, Random, Timer } from "../runtime/runtime.ts";
import { keyOfRegister, KeyRegisters, plainRegister } from "../state/keys/key-registers.ts";
import { DenyRegisters } from "../state/keys/deny-registers.ts";
import { HybridClock } from "../state/store/hlc.ts";
import { RegisterBook } from "../state/store/register-book.ts";
import type { RegisterEntry } from "../state/store/registers.ts";
import type { Store } from "../state/store/store.ts";
import { answerHeader, PEER_HEADER, readAsker } from "../wire/peer-auth.ts";
import { nodeName } from "./node-name.ts";
import { PeerLink, type PeerStanding } from "./peer-link.ts";
import { writeAnswer } from "./peer-talk.ts";

export interface PeersOptions {
  readonly peers: readonly URL[];
  readonly secret: Secret;
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly log: Log;
  /** This node's own. */
  readonly store: () => Promise<Store | string>;
}

const LOOK_MS: Ms = 250;
const PAGE = 500;
/** A question that is older was heard by somebody else before. */
const ASKED_MAX_MS: Ms = 300_000;

/**
 * What operators set on any of several nodes that share no database, on all of them: stored keys
 * and their ends, and which tenants are shut out. Each node asks the others what changed there; of
 * two that changed one thing the later wins, the same on every node, and a key that was ended stays
 * so.
 */
export class Peers {
  readonly #options: PeersOptions;
  readonly #links: readonly PeerLink[];
  readonly #epoch: string;
  readonly #hlc: HybridClock;
  #keys: KeyRegisters | undefined;
  #book: RegisterBook | undefined;
  #denials: DenyRegisters | undefined;
  #problem: string | undefined;
  /** Settles when all that was begun is done: one change of the book at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #hasEnded = false;

  constructor(options: PeersOptions) {
    this.#options = options;
    const { peers, secret, clock, random, network, log, directory } = options;
    this.#epoch = random.hex(8);
    this.#hlc = new HybridClock(nodeName(directory, random), () => clock.wall());
    const session = network.session({ proxy: undefined, unix: undefined, serverName: undefined });
    this.#links = peers.map((url) => {
      const peer = url.host;
      const onTrouble = (problem: string | undefined): void => {
        if (problem === undefined) log.line("info", "peers", "A node is in step", { peer });
        else log.line("warn", "peers", "A node is not in step", { peer, problem });
      };
      const take = (entries: readonly RegisterEntry[]) => this.#take(entries);
      return new PeerLink({
        ...{ url, secret: secret.expose(), clock, random, session, take, onTrouble },
      });
    });
  }

  standings(): readonly PeerStanding[] {
    return this.#links.map(({ standing }) => standing);
  }

  /** Hears the others once before it says what is new here: it may have been away for long. */
  async start(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.round()));
    if (this.#hasEnded) return;
    for (const link of this.#links) link.start();
    this.#look();
  }

  stop(): void {
    this.#hasEnded = true;
    this.#timer?.cancel();
    for (const link of this.#links) link.stop();
    void this.#last.then(() => this.#keys?.close());
  }

  /** The answer to another node; undefined where nothing may be said. */
  async answer(request: Request, target: string): Promise<Response | undefined> {
    const { secret, clock } = this.#options;
    const asker = readAsker(secret.expose(), target, request.headers.get(PEER_HEADER));
    if (asker === undefined || Math.abs(asker.ms - clock.wall()) > ASKED_MAX_MS) return undefined;
    const book = await this.#inTurn(() => this.#open());
    const asked = new URLSearchParams(target.slice(target.indexOf("?") + 1));
    const after = asked.get("epoch") === this.#epoch ? Number(asked.get("after")) : 0;
    const { entries, cursor } = book.since(Number.isSafeInteger(after) ? after : 0, PAGE);
    const body = writeAnswer({
      ...{ epoch: this.#epoch, wall: Math.floor(clock.wall()), cursor, entries },
      more: entries.length === PAGE,
    });
    const headers = {
      "content-type": "application/json",
      [PEER_HEADER]: answerHeader(secret.expose(), asker.nonce, body),
    };
    return new Response(body, { headers });
  }

  #take(entries: readonly RegisterEntry[]): Promise<number> {
    return this.#inTurn(async () => {
      const book = await this.#open();
      const { refused } = await book.merge(entries, async (news, read) => {
        await this.#denials?.put(news);
        const ids = new Set(news.flatMap(({ key }) => keyOfRegister(key) ?? []));
        if (ids.size === 0) return;
        // Whole keys: what was heard of one before it itself was is put in with it.
        const names = [...book.names(), ...news.map(({ key }) => key)];
        this.#keyFile().put(
          new Set(names.filter((name) => ids.has(keyOfRegister(name) ?? ""))),
          read,
        );
      });
      return refused;
    });
  }

  /** Looks whether something was set here, by whatever command or call. */
  #look(): void {
    const { clock, log } = this.#options;
    const work = this.#inTurn(() => this.#tellOwn()).then(
      () => (this.#problem = undefined),
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : "unknown reason";
        if (problem !== this.#problem) log.line("error", "peers", "Nothing is told", { problem });
        this.#problem = problem;
      },
    );
    void work.then(() => {
      if (!this.#hasEnded) this.#timer = clock.after(LOOK_MS, () => this.#look());
    });
  }

  async #tellOwn(): Promise<void> {
    const book = await this.#open();
    const changes = [...this.#keyFile().changed()].filter(([name, value]) => {
      const known = book.get(name);
      return known === undefined || plainRegister(name, known) !== value;
    });
    await book.set(changes);
    await book.set((await this.#denials?.changed(book)) ?? []);
  }

  async #open(): Promise<RegisterBook> {
    if (this.#book !== undefined) return this.#book;
    const { clock, random } = this.#options;
    const store = await this.#options.store();
    if (typeof store === "string") throw new Error(store);
    const book = await RegisterBook.open(store, this.#hlc);
    // A kill may have come between what was heard and what was done: an end is put in twice.
    const ends = [...book.names()].filter((name) => name.endsWith("/revoked"));
    this.#keyFile().put(ends, (name) => book.get(name));
    const newId = () => random.hex(16);
    this.#denials = new DenyRegisters({ store, newId, wall: () => clock.wall() });
    this.#book = book;
    return book;
  }

  #keyFile(): KeyRegisters {
    const { directory, random } = this.#options;
    return (this.#keys ??= new KeyRegisters({ directory, random }));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {}); // Whoever asked is told; the next one only waits.
    return turn;
  }
}
