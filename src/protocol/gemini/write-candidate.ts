import type { Stop } from "../ir/answer.ts";
import type { Block, Signed, TokenLogprob, ToolCallBlock } from "../ir/block.ts";
import type { Delta, IrEvent } from "../ir/event.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { Ext } from "../ir/node.ts";
import type { IrRequest } from "../ir/request.ts";
import { CitedTexts } from "./cited-texts.ts";
import { writeLogprobs } from "./logprobs.ts";
import { inside } from "./media.ts";
import { writeProof } from "./proof.ts";
import { writeStop } from "./stop.ts";
import { showsThoughts } from "./write-answer.ts";
import { writeCitations } from "./write-citations.ts";
import { writePart } from "./write-part.ts";

export interface CandidateWriting {
  readonly c: number;
  readonly report: Report;
  readonly asked: IrRequest;
  /** It came in this protocol: what was kept of it says the rest. */
  readonly own: boolean;
}
type BlockEvent = Extract<IrEvent, { t: "block_start" | "delta" | "block_stop" }>;

/** A block whose end has not come. */
interface Growing {
  readonly block: Block;
  /** A call's arguments so far; they go out whole. */
  args: string;
  /** Thoughts nobody asked for: kept in case a proof comes, with which they must come back. */
  hidden: string;
  proof: Signed | undefined;
  /** The part of a summary it is in. */
  summaryPart: number;
  /** Its pieces go out as they come: Vertex's calls. */
  readonly isInPieces: boolean;
}

interface GrownBlock {
  readonly b: number;
  readonly ext?: Ext | undefined;
}

/** Turns the blocks of one candidate into parts. */
export class CandidateWriter {
  readonly #writing: CandidateWriting;
  readonly #open = new Map<number, Growing>();
  readonly #cited = new CitedTexts();
  readonly #tokens: TokenLogprob[] = [];
  readonly #lost = new Set<number>();
  #parts: JsonObject[] = [];
  stop: Stop | undefined;

  constructor(writing: CandidateWriting) {
    this.#writing = writing;
  }

  write(event: BlockEvent): void {
    const { b } = event;
    switch (event.t) {
      case "block_start":
        this.#start(b, event.block);
        break;
      case "delta": {
        const open = this.#open.get(b);
        if (open !== undefined) this.#grow(open, event.d, { b, ext: event.ext });
        break;
      }
      case "block_stop":
        this.#close(b, event.final);
        break;
    }
  }

  /** The parts that are whole by now. */
  takeParts(): readonly JsonObject[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  /** The last chunk's candidate: why it ended, and what stands beside its parts. */
  final(): JsonObject {
    const { c, report } = this.#writing;
    for (const b of [...this.#open.keys()]) this.#close(b, undefined);
    const rest = this.takeParts();
    const stop = this.stop ?? { kind: "other" };
    const path = `candidates[${c}].blocks`;
    return compact({
      content: { parts: rest.length > 0 ? rest : [{ text: "" }], role: "model" },
      finishReason: writeStop(stop, report),
      finishMessage: stop.detail,
      index: c,
      groundingMetadata: writeCitations(this.#cited.all(path), report),
      ...writeLogprobs(this.#tokens, { report, path }),
    });
  }

  #start(b: number, block: Block): void {
    const open = this.#hold(b, block);
    switch (block.type) {
      case "text": {
        const { text, proof, citations = [], logprobs = [] } = block;
        this.#cited.addText(b, text);
        if (citations.length > 0) this.#cited.addCitations(b, citations);
        this.#tokens.push(...logprobs);
        if (text !== "" || proof !== undefined) this.#add(b, block);
        return;
      }
      case "refusal":
        if (block.text !== "") this.#add(b, block);
        return;
      case "reasoning": {
        const { text, summary, signature, sealed } = block;
        const said = text ?? summary?.join("\n\n") ?? "";
        if (this.#writing.own && signature !== undefined) this.#add(b, block);
        else if (said !== "") this.#think(open, said);
        if (!this.#writing.own) this.#sign(open, signature ?? sealed);
        return;
      }
      case "tool_call":
        if (open.isInPieces) this.#add(b, block);
        return;
      default:
        this.#add(b, block);
        this.#open.delete(b);
    }
  }

  #hold(b: number, block: Block): Growing {
    const isCall = block.type === "tool_call";
    const call = isCall ? inside(block.ext?.gemini, "functionCall") : undefined;
    const open: Growing = {
      block,
      args: isCall ? (block.args ?? "") : "",
      hidden: "",
      proof: undefined,
      summaryPart: 0,
      isInPieces: this.#writing.own && call?.["willContinue"] === true,
    };
    this.#open.set(b, open);
    return open;
  }

  #grow(open: Growing, d: Delta, { b, ext }: GrownBlock): void {
    switch (d.k) {
      case "text":
        this.#cited.addText(b, d.text);
        this.#parts.push(compact({ text: d.text }, ext?.gemini));
        break;
      case "refusal":
        this.#parts.push({ text: d.text });
        break;
      case "reasoning":
        this.#think(open, d.text, ext);
        break;
      case "summary":
        this.#think(open, d.part > open.summaryPart ? `\n\n${d.text}` : d.text);
        open.summaryPart = Math.max(open.summaryPart, d.part);
        break;
      case "signature":
      case "sealed":
      case "proof":
        this.#sign(open, d.signed);
        break;
      case "args":
        open.args += d.text;
        break;
      case "citation":
        this.#cited.addCitations(b, [d.citation]);
        break;
      case "logprobs":
        this.#tokens.push(...d.tokens);
        break;
      case "raw":
        if (open.isInPieces && isObject(d.data)) this.#parts.push(d.data);
        break;
      case "audio":
      case "result":
        this.#lose(b);
        break;
    }
  }

  /** Thoughts are shown to who asked for them. */
  #think(open: Growing, text: string, ext?: Ext): void {
    const { own, asked } = this.#writing;
    if (own || showsThoughts(asked)) {
      this.#parts.push(compact({ text, thought: true }, ext?.gemini));
    } else {
      open.hidden += text;
    }
  }

  /** A proof stands on its part: on the one that just came, or on an empty one behind it. */
  #sign(open: Growing, signed: Signed | undefined): void {
    const thoughtSignature = writeProof(signed);
    if (thoughtSignature === undefined) return;
    open.proof = signed;
    if (open.block.type === "tool_call") return; // It goes out with the call.
    const last = this.#writing.own ? this.#parts.pop() : undefined;
    const thought = open.block.type === "reasoning" ? true : undefined;
    const part = last ?? compact({ text: open.hidden, thought });
    open.hidden = "";
    this.#parts.push(compact({ thoughtSignature }, part));
  }

  #close(b: number, final: Block | undefined): void {
    const open = this.#open.get(b);
    if (open === undefined) return;
    this.#open.delete(b);
    const { block, proof } = open;
    if (block.type === "tool_call") {
      this.#call(b, { ...block, proof: block.proof ?? proof }, { open, final });
    } else if (proof === undefined && final?.type === "reasoning") {
      this.#sign(open, final.signature ?? final.sealed);
    }
  }

  /** A call goes out when its arguments are whole; what the wire repeated of them is right. */
  #call(
    b: number,
    call: ToolCallBlock,
    { open, final }: { readonly open: Growing; readonly final: Block | undefined },
  ): void {
    if (open.isInPieces) return;
    const repeated = final?.type === "tool_call" ? final : undefined;
    const isRepeated = (repeated?.args ?? "") !== "" || repeated?.argsValue !== undefined;
    const args = open.args === "" && call.argsValue !== undefined ? undefined : open.args;
    const said = isRepeated ? repeated : { args, argsValue: args ? undefined : call.argsValue };
    this.#add(b, { ...call, args: said?.args, argsValue: said?.argsValue });
  }

  #add(b: number, block: Block): void {
    const { c, own, report } = this.#writing;
    const part = writePart(block, { own, report, path: `candidates[${c}].blocks[${b}]` });
    if (part !== undefined) this.#parts.push(part);
  }

  #lose(b: number): void {
    if (this.#lost.has(b)) return;
    this.#lost.add(b);
    const path = `candidates[${this.#writing.c}].blocks[${b}]`;
    this.#writing.report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped" });
  }
}
