import type {
  MediaBlock,
  OpaqueBlock,
  ReasoningBlock,
  RefusalBlock,
  TextBlock,
} from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readCacheMark } from "./cache-mark.ts";
import { readDataUrl } from "./data-url.ts";
import { restOf } from "./rest.ts";
import { spelled } from "./spelling.ts";

/** `input_audio.format` to the media type it means; the writer turns it round. */
export const AUDIO_MIMES: ReadonlyMap<string, string> = new Map([
  ["wav", "audio/wav"],
  ["mp3", "audio/mpeg"],
]);

/** What `content` may hold besides text: every part has its kind of block. */
export type PartBlock = TextBlock | RefusalBlock | ReasoningBlock | MediaBlock | OpaqueBlock;

/** A content list; undefined where an entry is no object, so that it stays as it came. */
export function readParts(
  list: readonly Json[],
  at: string | undefined,
): readonly PartBlock[] | undefined {
  const objects = list.filter(isObject);
  if (objects.length !== list.length) return undefined;
  return objects.map((part, index) => readPart(part, at && `${at}[${index}]`));
}

function readPart(part: JsonObject, at: string | undefined): PartBlock {
  const { type } = part;
  const read = typeof type === "string" ? READERS.get(type) : undefined;
  const fields = new Fields(part);
  fields.skip("type");
  return read?.(fields, at) ?? opaquePart(part, at);
}

/** A part this build does not know, whole. */
export function opaquePart(raw: JsonObject, at: string | undefined): OpaqueBlock {
  const { type } = raw;
  const wireType = typeof type === "string" ? type : "";
  return { type: "opaque", vendor: "openai", wireType, raw, at };
}

type ReadPart = (fields: Fields, at: string | undefined) => PartBlock | undefined;
const READERS: ReadonlyMap<string, ReadPart> = new Map<string, ReadPart>([
  ["text", readText],
  ["refusal", readRefusal],
  ["image_url", readImage],
  ["input_audio", readAudio],
  ["file", readFile],
  ["thinking", readThinking],
]);

function readText(fields: Fields, at: string | undefined): PartBlock | undefined {
  const text = fields.text("text");
  if (text === undefined) return undefined;
  return { type: "text", text, cache: readCacheMark(fields), ext: restOf(fields), at };
}

function readRefusal(fields: Fields, at: string | undefined): PartBlock | undefined {
  const text = fields.text("refusal");
  if (text === undefined) return undefined;
  const cache = readCacheMark(fields);
  const block: RefusalBlock = { type: "refusal", text, cache, ext: restOf(fields), at };
  return spelled(block, { slot: "part" });
}

/** Mistral and some local engines take the URL as a bare string. */
function readImage(fields: Fields, at: string | undefined): PartBlock | undefined {
  const bare = fields.text("image_url");
  const inner = bare === undefined ? innerOf(fields, "image_url") : undefined;
  const url = bare ?? inner?.text("url");
  if (url === undefined) return undefined;
  const detail = inner?.text("detail");
  const cache = readCacheMark(fields);
  const ext = restOf(fields, { image_url: inner });
  const data = readDataUrl(url);
  const image = { type: "media", kind: "image", detail, cache, ext, at } as const;
  const block: MediaBlock =
    data === undefined
      ? { ...image, source: { kind: "url", url } }
      : { ...image, mime: data.mime, source: data.source };
  const raw = data?.isPlain === false ? url : undefined;
  return spelled(block, { slot: bare === undefined ? undefined : "bare", raw });
}

function readAudio(fields: Fields, at: string | undefined): PartBlock | undefined {
  const inner = innerOf(fields, "input_audio");
  const data = inner?.text("data");
  const mime = AUDIO_MIMES.get(String(inner?.peek("format")));
  if (data === undefined || mime === undefined) return undefined;
  inner?.skip("format");
  const cache = readCacheMark(fields);
  const ext = restOf(fields, { input_audio: inner });
  return { type: "media", kind: "audio", mime, source: { kind: "base64", data }, cache, ext, at };
}

/** A file is its data, as a data URL or bare base64, or the id of an upload. */
function readFile(fields: Fields, at: string | undefined): PartBlock | undefined {
  const inner = innerOf(fields, "file");
  if (inner === undefined) return undefined;
  const given = inner.text("file_data");
  const fileId = given === undefined ? inner.text("file_id") : undefined;
  if (given === undefined && fileId === undefined) return undefined;
  const filename = inner.text("filename");
  const cache = readCacheMark(fields);
  const ext = restOf(fields, { file: inner });
  const file = { type: "media", kind: "document", filename, cache, ext, at } as const;
  if (given === undefined) {
    const raw = { file_id: fileId! };
    return { ...file, source: { kind: "reference", vendor: "openai", raw } };
  }
  const { mime, source, isPlain } = readDataUrl(given) ?? bareData(given);
  return spelled({ ...file, mime, source }, { raw: isPlain ? undefined : given });
}

/** OpenRouter takes a URL here; OpenAI takes base64 that does not say what it is. */
function bareData(given: string) {
  const isUrl = /^https?:/i.test(given);
  const source = isUrl
    ? ({ kind: "url", url: given } as const)
    : ({ kind: "base64", data: given } as const);
  return { mime: undefined, source, isPlain: isUrl };
}

/** Mistral's reasoning: a list of text parts inside the part. */
function readThinking(fields: Fields, at: string | undefined): PartBlock | undefined {
  const raw = fields.any("thinking");
  const text = typeof raw === "string" ? raw : thinkingText(raw);
  if (text === undefined) return undefined;
  const block: ReasoningBlock = { type: "reasoning", text, ext: restOf(fields), at };
  return spelled(block, { slot: "part", raw });
}

/** The text of a thinking part's list; undefined when it is none. */
export function thinkingText(value: Json | undefined): string | undefined {
  if (!isList(value)) return undefined;
  return value.map((part) => textOf(part)).join("");
}

function textOf(part: Json): string {
  const text = isObject(part) ? part["text"] : undefined;
  return typeof text === "string" ? text : "";
}

/** An object inside a part, to be read member by member. */
function innerOf(fields: Fields, name: string): Fields | undefined {
  const inner = fields.object(name);
  return inner && new Fields(inner);
}
