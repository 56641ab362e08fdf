import { PEER_PATH } from "../admin/listener.ts";
import type { Ms } from "../core/units.ts";
import type { Clock, Random, Session, Timer } from "../runtime/runtime.ts";
import type { RegisterEntry } from "../state/store/registers.ts";
import { askerHeader, isAnswer, PEER_HEADER } from "../wire/peer-auth.ts";
import { type PeerAnswer, readAnswer } from "./peer-talk.ts";

export interface PeerLinkOptions {
  /** The other node's admin listener. */
  readonly url: URL;
  readonly secret: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly session: Session;
  /** Takes what it said; how many of it cannot be believed yet. */
  readonly take: (entries: readonly RegisterEntry[]) => Promise<number>;
  /** Told of each trouble once, and with undefined when it is over. */
  readonly onTrouble: (problem: string | undefined) => void;
}

/** How another node stands to this one. */
export interface PeerStanding {
  /** Without its path and query. */
  readonly peer: string;
  readonly isInStep: boolean;
  /** How long ago all that it had set was surely known here. */
  readonly behindMs: Ms;
  /** How far its clock is ahead of ours. */
  readonly skewMs: Ms;
  readonly problem: string | undefined;
}

const POLL_MS: Ms = 500;
const DEADLINE_MS: Ms = 3000;
const BODY_MAX = 8 * 1024 * 1024;
/** Stamps from further ahead are refused (state/store/hlc.ts). */
const SKEW_MAX_MS: Ms = 500;

/** Asks one other node again and again what was set there. */
export class PeerLink {
  readonly #options: PeerLinkOptions;
  #epoch = "";
  #cursor = 0;
  #seenAt: Ms;
  #skewMs: Ms = 0;
  #problem: string | undefined;
  #isInStep = false;
  #hasEnded = false;
  #timer: Timer | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#seenAt = options.clock.now();
  }

  get standing(): PeerStanding {
    const { url, clock } = this.#options;
    return {
      ...{ peer: url.host, isInStep: this.#isInStep, skewMs: this.#skewMs },
      ...{ behindMs: clock.now() - this.#seenAt, problem: this.#problem },
    };
  }

  start(): void {
    void this.round().then(() => {
      if (!this.#hasEnded) this.#timer = this.#options.clock.after(POLL_MS, () => this.start());
    });
  }

  stop(): void {
    this.#hasEnded = true;
    this.#timer?.cancel();
  }

  /** Asks until it has said everything. Never throws: what went wrong is told. */
  async round(): Promise<void> {
    try {
      let problem: string | undefined;
      let at = this.#cursor;
      for (let more = true; more && !this.#hasEnded;) {
        const before = this.#options.clock.now();
        const answer = await this.#ask(at); // From the start where it does not know our epoch.
        this.#epoch = answer.epoch;
        this.#measure(answer, before);
        const refused = await this.#options.take(answer.entries);
        if (refused > 0) problem = `${refused} settings are from a clock ahead of ours: not taken`;
        at = answer.cursor;
        if (problem === undefined) this.#cursor = at;
        more = answer.more;
      }
      if (Math.abs(this.#skewMs) > SKEW_MAX_MS) {
        problem ??= `its clock is ${Math.round(this.#skewMs)} ms ahead of ours`;
      }
      this.#isInStep = problem === undefined;
      if (this.#isInStep) this.#seenAt = this.#options.clock.now();
      this.#say(problem);
    } catch (error) {
      this.#isInStep = false;
      this.#say(error instanceof Error ? error.message : "unknown reason");
    }
  }

  async #ask(after: number): Promise<PeerAnswer> {
    const { url, secret, clock, random, session } = this.#options;
    const target = `${PEER_PATH}?epoch=${this.#epoch}&after=${after}`;
    const nonce = random.hex(16);
    const header = askerHeader(secret, target, { ms: Math.floor(clock.wall()), nonce });
    const late = new AbortController();
    const { signal } = late;
    const timer = clock.after(DEADLINE_MS, () => {
      late.abort(new Error(`it did not answer in ${DEADLINE_MS} ms`));
    });
    try {
      const answer = await session.fetch(new URL(target, url).href, {
        headers: { [PEER_HEADER]: header },
        ...{ redirect: "manual", proxy: false, signal },
      });
      if (Number(answer.headers.get("content-length") ?? 0) > BODY_MAX) {
        throw new Error("it answered too much at once");
      }
      const body = await answer.text();
      if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
      const proof = { nonce, body, header: answer.headers.get(PEER_HEADER) };
      if (!isAnswer(secret, proof)) throw new Error("it does not know state.peer_secret");
      const read = readAnswer(body);
      if (read === undefined) throw new Error("its answer cannot be read");
      return read;
    } finally {
      timer.cancel();
    }
  }

  /** Half of the way there and back is taken for the way back. */
  #measure({ wall }: PeerAnswer, before: Ms): void {
    const { clock } = this.#options;
    this.#skewMs = wall - (clock.wall() - (clock.now() - before) / 2);
  }

  #say(problem: string | undefined): void {
    // Figures in it change all the time: what it is about is told once.
    const about = (text: string | undefined): string | undefined => text?.replace(/\d+/g, "#");
    if (about(problem) !== about(this.#problem)) this.#options.onTrouble(problem);
    this.#problem = problem;
  }
}
