import type { DialectId } from "../../core/ids.ts";
import type { IrAnswer } from "../ir/answer.ts";
import type { Block, MediaBlock } from "../ir/block.ts";
import type { Delta, IrEvent } from "../ir/event.ts";
import type { Report } from "../ir/loss.ts";
import { blockPath, type Pass } from "./pass.ts";

/** Wires whose answers hold no sound: what is said in it goes on as text (protocols.md 3.1). */
const SILENT: ReadonlySet<DialectId> = new Set(["responses", "bedrock", "cohere"]);

export interface SoundOptions {
  readonly client: DialectId;
  readonly report: Report;
}

/** A whole answer in which a client without sound reads what it would have heard. */
export function readSounds(answer: IrAnswer, { client, report }: SoundOptions): IrAnswer {
  if (!SILENT.has(client)) return answer;
  const candidates = answer.candidates.map((candidate) => {
    if (!candidate.blocks.some(isSpoken)) return candidate;
    const blocks = candidate.blocks.map((block, index): Block => {
      if (!isSpoken(block)) return block;
      report(lossAt(blockPath(candidate.index, index)));
      return { type: "text", text: block.transcript ?? "" };
    });
    return { ...candidate, blocks };
  });
  return { ...answer, candidates };
}

/** The same of a stream; undefined for a client that hears. */
export function soundPass({ client, report }: SoundOptions): Pass | undefined {
  if (!SILENT.has(client)) return undefined;
  const sounds = new Set<string>();
  return {
    feed(event) {
      if (event.t === "block_start" && isSound(event.block)) {
        const path = blockPath(event.c, event.b);
        sounds.add(path);
        report(lossAt(path));
        return [{ ...event, block: { type: "text", text: event.block.transcript ?? "" } }];
      }
      if (event.t === "delta" && event.d.k === "audio") return spoken(event, event.d);
      if (event.t !== "block_stop" || !sounds.has(blockPath(event.c, event.b))) return [event];
      return [{ ...event, final: undefined }];
    },
    end: () => [],
  };
}

function spoken(
  event: Extract<IrEvent, { t: "delta" }>,
  { transcript }: Extract<Delta, { k: "audio" }>,
): readonly IrEvent[] {
  return transcript === undefined ? [] : [{ ...event, d: { k: "text", text: transcript } }];
}

function isSound(block: Block): block is MediaBlock {
  return block.type === "media" && block.kind === "audio";
}

function isSpoken(block: Block): block is MediaBlock {
  return isSound(block) && block.transcript !== undefined;
}

function lossAt(path: string): Parameters<Report>[0] {
  return { code: "L-MODALITY", path, action: "approximated" };
}
