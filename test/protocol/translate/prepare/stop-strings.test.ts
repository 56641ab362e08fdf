import { describe, expect, test } from "bun:test";
import { prepared } from "../preparing.ts";

describe("stop strings", () => {
  test("go on as they are where they fit", () => {
    const { request, cutAt, lost } = prepared({ origin: "openai", stop: ["a", "b"] }, "gemini");
    expect(request.stop).toEqual(["a", "b"]);
    expect(cutAt).toEqual([]);
    expect(lost).toEqual([]);
  });
  test("are the gateway's where the target has none", () => {
    const told = prepared({ origin: "cohere", stop: ["a", "", "b"] }, "responses");
    expect(told.request.stop).toBeUndefined();
    expect(told.cutAt).toEqual(["a", "b"]);
    expect(told.lost).toEqual(["L-STOP-EMULATED stop_sequences emulated"]);
  });
  test("beyond what the target takes are the gateway's", () => {
    const stop = ["1", "2", "3", "4", "5", "6"];
    const { request, cutAt } = prepared({ origin: "anthropic", stop }, "openai");
    expect(request.stop).toEqual(["1", "2", "3", "4"]);
    expect(cutAt).toEqual(["5", "6"]);
  });
  test("of nothing but space are the gateway's where the target refuses blank text", () => {
    const { request, cutAt } = prepared({ origin: "openai", stop: ["\n\n", "x"] }, "anthropic");
    expect(request.stop).toEqual(["x"]);
    expect(cutAt).toEqual(["\n\n"]);
  });
});
