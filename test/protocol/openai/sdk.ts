import { ChatCompletionStream } from "openai/lib/ChatCompletionStream";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { parseSse } from "../../../src/wire/sse.ts";
import { bytesOf } from "./kit.ts";

/** A stream put together by the official SDK; undefined where it refuses to. */
export async function sdkAnswer(stream: Uint8Array | string): Promise<JsonObject | undefined> {
  const bytes = typeof stream === "string" ? bytesOf(stream) : new Uint8Array(stream);
  const lines = parseSse(bytes).flatMap(({ data }) => (data.trim() === "[DONE]" ? [] : [data]));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const line of lines) controller.enqueue(bytesOf(`${line}\n`));
      controller.close();
    },
  });
  try {
    const answer = await ChatCompletionStream.fromReadableStream(body).finalChatCompletion();
    return JSON.parse(JSON.stringify(answer)) as JsonObject;
  } catch {
    return undefined; // Whether it takes the stream is asked; the recordings it refuses are counted.
  }
}
