import type { ToolResultBlock } from "../../ir/block.ts";
import type { Message } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";

/** A list of messages that never breaks the target's rule of turns, whatever is added to it. */
export class TurnList {
  readonly #messages: Message[] = [];
  /** Two wires want one turn after another; a third at least all of one turn's results together. */
  readonly #merges: boolean;
  readonly #joinsAnswers: boolean;
  readonly #fit: Fit;
  /** The caller's message the results at the end came from, while nothing stands behind them. */
  #answersOf: number | undefined;

  constructor(fit: Fit) {
    this.#fit = fit;
    this.#merges = fit.capabilities.alternation;
    this.#joinsAnswers = fit.target === "anthropic";
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** `turn` is the index of the caller's message it was. */
  add(message: Message, turn?: number): void {
    const isRest = this.#joinsAnswers && turn !== undefined && turn === this.#answersOf;
    this.#answersOf = undefined;
    const last = this.#messages.at(-1);
    const isNeighbour = last?.role === message.role && (this.#merges || isRest);
    if (last === undefined || !isNeighbour || !isSpoken(message)) this.#messages.push(message);
    else this.#messages[this.#messages.length - 1] = this.#merged(last, message);
  }

  /** Results as a user's turn; `turns` are the caller's messages they came from. */
  addAnswers(results: readonly ToolResultBlock[], turns: ReadonlySet<number>): void {
    this.add({ role: "user", blocks: results, at: results[0]?.at });
    const [turn] = turns;
    if (turns.size === 1) this.#answersOf = turn;
  }

  #merged(last: Message, message: Message): Message {
    const { name, at, blocks } = message;
    if (name !== undefined && name !== last.name) {
      this.#fit.lose("L-NAME", `${at ?? this.#fit.paths.messages}.name`);
    }
    return { ...last, blocks: [...last.blocks, ...blocks] };
  }
}

function isSpoken({ role }: Message): boolean {
  return role === "user" || role === "assistant";
}
