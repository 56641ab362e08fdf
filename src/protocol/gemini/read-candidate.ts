import { printJson } from "../../wire/exact-json.ts";
import type { Stop } from "../ir/answer.ts";
import type { Block, ToolCallBlock } from "../ir/block.ts";
import type { Delta, IrEvent } from "../ir/event.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Ext } from "../ir/node.ts";
import { readLogprobs } from "./logprobs.ts";
import { PartialArgs } from "./partial-args.ts";
import { readStopOf } from "./read-answer.ts";
import { type PlacedText, readCitations } from "./read-citations.ts";
import { readPart } from "./read-part.ts";

/** Text beyond which no place of a citation is worked out: it would have to be kept. */
const KEPT_LENGTH_MAX = 4 << 20;

type Growing = "text" | "reasoning";
interface OpenBlock {
  readonly b: number;
  readonly type: Growing;
  /** A proof closes its block: what follows is another one. */
  isSigned: boolean;
}

/** Turns the parts of one candidate into blocks that grow: neighbouring texts are one block. */
export class CandidateReader {
  readonly #c: number;
  #events: IrEvent[] = [];
  #next = 0;
  #open: OpenBlock | undefined;
  /** The call whose arguments come in pieces. */
  #call: { readonly b: number; readonly args: PartialArgs } | undefined;
  #hasCalls = false;
  #stop: Stop | undefined;
  readonly #texts = new Map<number, string>();
  #keptLength = 0;
  readonly #cited = new Set<string>();

  constructor(c: number) {
    this.#c = c;
  }

  /** The events of what one chunk holds of this candidate. */
  read(candidate: JsonObject): readonly IrEvent[] {
    for (const part of partsIn(candidate)) this.#readPart(part);
    this.#annotate(candidate);
    this.#stop = readStopOf(new Fields(candidate), { hasCalls: this.#hasCalls }) ?? this.#stop;
    return this.#taken();
  }

  /** Closes what is open, and says why it ended. */
  end(): readonly IrEvent[] {
    this.#close();
    if (this.#stop !== undefined) this.#events.push({ t: "stop", c: this.#c, stop: this.#stop });
    return this.#taken();
  }

  #taken(): readonly IrEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #readPart(part: JsonObject): void {
    const call = part["functionCall"];
    if (isObject(call) && this.#readPiece(part, call)) return;
    const block = readPart(part);
    switch (block.type) {
      case "text":
        this.#grow("text", block.text, block.ext);
        if (block.proof !== undefined) this.#sign({ k: "proof", signed: block.proof });
        break;
      case "reasoning":
        if (block.text === undefined) {
          this.#addWhole(block);
          break;
        }
        this.#grow("reasoning", block.text, block.ext);
        if (block.signature !== undefined) this.#sign({ k: "signature", signed: block.signature });
        break;
      case "tool_call":
        this.#addCall(block);
        break;
      default:
        this.#addWhole(block);
    }
  }

  #grow(type: Growing, text: string, ext: Ext | undefined): void {
    if (this.#open?.type !== type || this.#open.isSigned) {
      const block: Block = type === "text" ? { type, text: "" } : { type, text: "" };
      this.#open = { b: this.#start(block), type, isSigned: false };
    }
    const { b } = this.#open;
    this.#events.push({ t: "delta", c: this.#c, b, d: { k: type, text }, ext });
    if (type !== "text") return;
    this.#keptLength += text.length;
    if (this.#keptLength > KEPT_LENGTH_MAX) this.#texts.clear();
    else this.#texts.set(b, (this.#texts.get(b) ?? "") + text);
  }

  #sign(d: Delta): void {
    this.#open!.isSigned = true;
    this.#events.push({ t: "delta", c: this.#c, b: this.#open!.b, d });
  }

  /** Closes the block before it; one is open at a time. */
  #start(block: Block): number {
    this.#close();
    const b = this.#next++;
    this.#events.push({ t: "block_start", c: this.#c, b, block });
    return b;
  }

  #stopBlock(b: number): void {
    this.#events.push({ t: "block_stop", c: this.#c, b });
  }

  #close(): void {
    if (this.#open !== undefined) this.#stopBlock(this.#open.b);
    this.#open = undefined;
    this.#endCall();
  }

  #addWhole(block: Block): void {
    this.#stopBlock(this.#start(block));
  }

  /** A call comes whole: its arguments are one delta, none where it has none. */
  #addCall(block: ToolCallBlock): void {
    this.#hasCalls = true;
    const { argsValue, ...rest } = block;
    const b = this.#start({ ...rest, args: "" });
    if (argsValue !== undefined) this.#addArgs(b, printJson(argsValue));
    this.#stopBlock(b);
  }

  #addArgs(b: number, text: string): void {
    this.#events.push({ t: "delta", c: this.#c, b, d: { k: "args", text } });
  }

  /** A piece of a call that goes on; false when the part is a whole call. */
  #readPiece(part: JsonObject, call: JsonObject): boolean {
    const goesOn = call["willContinue"] === true;
    if (this.#call === undefined) {
      if (!goesOn || typeof call["name"] !== "string") return false;
      const block = readPart(part);
      if (block.type !== "tool_call") return false;
      this.#hasCalls = true;
      this.#call = { b: this.#start({ ...block, args: "" }), args: new PartialArgs() };
      this.#call.args.add(call["partialArgs"]);
      return true;
    }
    if (call["name"] !== undefined) return false;
    const { b, args } = this.#call;
    this.#events.push({ t: "delta", c: this.#c, b, d: { k: "raw", data: part } });
    args.add(call["partialArgs"]);
    if (!goesOn) this.#endCall();
    return true;
  }

  #endCall(): void {
    if (this.#call === undefined) return;
    const { b, args } = this.#call;
    this.#call = undefined;
    this.#addArgs(b, printJson(args.value));
    this.#stopBlock(b);
  }

  /** Citations and log probabilities stand beside the parts: they go to the text that is open. */
  #annotate(candidate: JsonObject): void {
    const tokens = readLogprobs(candidate["logprobsResult"]);
    const texts = [...this.#texts].map(([block, text]): PlacedText => ({ block, text }));
    const found = readCitations(candidate, texts.length > 0 ? texts : NO_TEXT, "message");
    if (tokens.length > 0) this.#addBeside({ k: "logprobs", tokens });
    for (const { citation } of found) {
      const key = JSON.stringify(citation);
      if (this.#cited.has(key)) continue; // Hosts repeat themselves from chunk to chunk.
      this.#cited.add(key);
      this.#addBeside({ k: "citation", citation });
    }
  }

  #addBeside(d: Delta): void {
    if (this.#open?.type !== "text") {
      this.#open = { b: this.#start({ type: "text", text: "" }), type: "text", isSigned: false };
    }
    this.#events.push({ t: "delta", c: this.#c, b: this.#open.b, d });
  }
}

/**
 * The parts of a chunk that say something. An empty text alone is how many a last chunk looks: it
 * would be a block of its own to other protocols.
 */
export function partsIn(candidate: JsonObject): readonly JsonObject[] {
  const content = candidate["content"];
  const parts = isObject(content) ? content["parts"] : undefined;
  const isRead = isList(parts) && parts.every(isObject) && !parts.every(isSilent);
  return isRead ? parts : [];
}

function isSilent(part: JsonObject): boolean {
  return part["text"] === "" && Object.keys(part).length === 1;
}

const NO_TEXT: readonly PlacedText[] = [{ block: -1, text: "" }];
