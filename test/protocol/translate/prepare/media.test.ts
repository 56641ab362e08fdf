import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../../src/core/ids.ts";
import { Rejection } from "../../../../src/core/rejection.ts";
import type { Block, MediaBlock, MediaSource } from "../../../../src/protocol/ir/block.ts";
import { call, outcomeOf, prepared, requestOf, result, say, shape } from "../preparing.ts";

const PNG = "iVBORw0KGgoAAAANSUhEUg==";
const PDF = "JVBERi0xLjc=";
const media = (
  kind: MediaBlock["kind"],
  mime: string | undefined,
  more: Partial<MediaBlock> = {},
): MediaBlock => ({
  type: "media",
  kind,
  mime,
  source: { kind: "base64", data: kind === "image" ? PNG : PDF },
  at: "at",
  ...more,
});
const url: MediaSource = { kind: "url", url: "https://example.com/a" };

function sent(block: Block, from: DialectId, to: DialectId) {
  const told = prepared(
    { origin: from, messages: [say("user", "look", block)], maxOutputTokens: 9 },
    to,
  );
  return { blocks: told.request.messages[0]?.blocks.slice(1), lost: told.lost, told };
}

describe("media", () => {
  test.each<readonly [DialectId, MediaBlock, DialectId]>([
    ["openai", media("image", "image/png"), "bedrock"],
    ["openai", media("image", "image/png", { source: url }), "anthropic"],
    ["gemini", media("audio", "audio/wav"), "openai"],
    ["bedrock", media("document", "application/pdf", { context: "c", title: "t" }), "anthropic"],
  ])("from %s %j goes to %s as it is", (from, block, to) => {
    const { blocks, lost } = sent(block, from, to);
    expect(blocks).toEqual([JSON.parse(JSON.stringify(block))]);
    expect(lost).toEqual([]);
  });

  test.each<readonly [DialectId, MediaBlock, DialectId]>([
    ["openai", media("audio", "audio/wav"), "anthropic"],
    ["gemini", media("video", "video/mp4"), "openai"],
    ["gemini", media("image", "image/heic"), "anthropic"],
    ["anthropic", media("image", "image/png", { source: url }), "bedrock"],
    ["openai", media("document", "application/pdf"), "cohere"],
    ["bedrock", media("document", "application/msword"), "anthropic"],
    ["gemini", media("audio", "audio/ogg"), "openai"],
  ])("from %s %j refuses the request to %s", (origin, block, target) => {
    const request = requestOf({ origin, messages: [say("user", block)] });
    const { prepared: refused } = outcomeOf(request, { target });
    expect((refused as Rejection).reason).toMatchObject({ kind: "loss_refused", path: "at" });
  });

  test("a type is told from the data where nobody named it", () => {
    const { blocks } = sent(media("image", undefined), "openai", "bedrock");
    expect(blocks).toMatchObject([{ mime: "image/png" }]);
    expect(sent(media("image", "image/jpg"), "openai", "anthropic").blocks).toMatchObject([
      { mime: "image/jpeg" },
    ]);
  });
  test("a file only its vendor can read is left out, and that refuses by default", () => {
    const source: MediaSource = { kind: "reference", vendor: "openai", raw: { file_id: "x" } };
    const { blocks, lost } = sent(media("image", undefined, { source }), "openai", "gemini");
    expect(blocks).toEqual([]);
    expect(lost).toEqual(["L-FILEID at dropped"]);
  });
  test("details are told where they have no place, unless they are the usual", () => {
    expect(
      sent(media("image", "image/png", { detail: "high" }), "openai", "anthropic").lost,
    ).toEqual(["L-DETAIL at dropped"]);
    expect(
      sent(media("image", "image/png", { detail: "auto" }), "openai", "anthropic").lost,
    ).toEqual([]);
  });
  test("a document of text is text, data or a block of its own", () => {
    const source: MediaSource = { kind: "text", text: "hello" };
    const block = media("document", "text/plain", { source, title: "T" });
    expect(sent(block, "anthropic", "bedrock").blocks).toMatchObject([{ source, title: "T" }]);
    expect(sent(block, "anthropic", "gemini").blocks).toMatchObject([
      { source: { kind: "base64", data: "aGVsbG8=" } },
    ]);
    expect(sent(block, "anthropic", "gemini").lost).toEqual(["L-DOCNAME at dropped"]);
    expect(sent(block, "anthropic", "openai").blocks).toMatchObject([{ text: "T\n\nhello" }]);
    const cohere = sent(block, "anthropic", "cohere").told.request;
    expect(cohere.documents).toMatchObject([{ data: { text: "hello", title: "T" } }]);
    const back = media("document", "text/plain", { source: { kind: "base64", data: "aGVsbG8=" } });
    expect(sent(back, "gemini", "anthropic").blocks).toMatchObject([{ source }]);
  });
  test("an assistant's image is the user's next, or gone where nothing follows", () => {
    const messages = [say("user", "draw"), say("assistant", "here", media("image", "image/png"))];
    const last = prepared({ origin: "gemini", messages, maxOutputTokens: 9 }, "anthropic");
    expect(shape(last.request)).toEqual(["user: draw", "assistant: here"]);
    const more = [...messages, say("user", "thanks")];
    const moved = prepared({ origin: "gemini", messages: more, maxOutputTokens: 9 }, "anthropic");
    expect(shape(moved.request)).toEqual([
      "user: draw",
      "assistant: here",
      "user: image",
      "user: thanks",
    ]);
    expect(moved.lost).toEqual(["L-ASSISTANT-MEDIA at moved"]);
    expect(shape(prepared({ origin: "openai", messages: more }, "gemini").request)[1]).toBe(
      "assistant: here, image",
    );
  });
  test("an image in a result follows the last result of its turn", () => {
    const pictured: Block = {
      type: "tool_result",
      callId: "1",
      content: [{ type: "text", text: "see" }, media("image", "image/png")],
    };
    const messages = [
      say("user", "a"),
      say("assistant", call("1"), call("2")),
      say("user", pictured, result("2"), "so?"),
    ];
    const { request, lost } = prepared({ origin: "anthropic", messages }, "openai");
    expect(shape(request)).toEqual([
      "user: a",
      "assistant: call 1, call 2",
      "tool: =1",
      "tool: =2",
      "user: image",
      "user: so?",
    ]);
    expect(lost).toEqual(["L-TOOLIMG-MOVED at moved"]);
  });
  test("what an assistant said aloud is what it said", () => {
    const spoken = media("audio", "audio/wav", { transcript: "hello" });
    const messages = [say("user", "a"), say("assistant", spoken), say("user", "b")];
    const { request, lost } = prepared(
      { origin: "openai", messages, maxOutputTokens: 9 },
      "anthropic",
    );
    expect(shape(request)[1]).toBe("assistant: hello");
    expect(lost).toEqual(["L-ASSISTANT-MEDIA at approximated"]);
  });
  test("a document's citations and context are told where they cannot be", () => {
    const block = media("document", "application/pdf", { citations: true, context: "c" });
    expect(sent(block, "anthropic", "openai").lost).toEqual([
      "L-DOCCONTEXT at dropped",
      "L-CITE at dropped",
    ]);
  });
  test("what else a document of blocks holds stands behind its text, or is told", () => {
    const blocks: readonly Block[] = [
      { type: "text", text: "one" },
      media("image", "image/png"),
      { type: "opaque", vendor: "anthropic", wireType: "x", raw: {}, at: "o" },
    ];
    const block = media("document", undefined, { source: { kind: "blocks", blocks } });
    const { blocks: spread, lost } = sent(block, "anthropic", "openai");
    expect(spread?.map(({ type }) => type)).toEqual(["text", "media"]);
    expect(lost).toEqual(["L-UNKNOWN-BLOCK o dropped"]);
  });
});
