import { describe, expect, test } from "bun:test";
import { errorOfException, readError } from "../../../src/protocol/bedrock/read-error.ts";
import { utf8 } from "./pieces.ts";

const read = (status: number, message: string, name = "ValidationException") =>
  readError(status, new Headers({ "x-amzn-errortype": name }), utf8(JSON.stringify({ message })));

describe("what an error answer says", () => {
  test("is its class, its status and its own words", () => {
    const message = "This model doesn't support the video content block that you provided.";
    expect(read(400, message)).toMatchObject({ class: "invalid_request", status: 400, message });
  });

  test("of a prompt that is too long has its numbers where it says any", () => {
    const host = "The model returned the following errors: ";
    expect(read(400, `${host}prompt is too long: 208310 tokens > 200000 maximum`)).toMatchObject({
      class: "context_length",
      tokens: { requested: 208_310, max: 200_000 },
    });
    const both = "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000";
    expect(read(400, both).tokens).toEqual({ requested: 203_096, max: 200_000 });
    expect(read(400, "Input is too long for requested model.").tokens).toBeUndefined();
  });

  test("never holds an account, an ARN or a key", () => {
    const message =
      "User: arn:aws:sts::123456789012:assumed-role/prod/me is not authorized to perform: " +
      "bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/x (123456789012) " +
      "AKIAIOSFODNN7EXAMPLE bedrock-api-key-YmVkcm9jay5hbWF6b25hd3M org-abcdefghijkl";
    const { message: said, class: kind } = read(403, message, "AccessDeniedException");
    expect(kind).toBe("permission");
    expect(said).toBe(
      "User: [arn] is not authorized to perform: bedrock:InvokeModel on resource: [arn] " +
        "([account]) [key] [key] [id]",
    );
  });

  test("says when to try again where that helps", () => {
    const headers = new Headers({ "x-amzn-errortype": "ThrottlingException", "retry-after": "2" });
    expect(readError(429, headers, utf8("{}"))).toMatchObject({
      class: "rate_limit",
      retryAfterMs: 2000,
    });
  });

  test("is never nothing", () => {
    expect(readError(500, new Headers(), utf8("<html>")).message).toBe(
      "The model failed to answer.",
    );
  });
});

test("an exception frame has the status of its class", () => {
  expect(errorOfException("serviceUnavailableException", { message: "Busy." })).toMatchObject({
    class: "overloaded",
    status: 503,
    message: "Busy.",
  });
});
