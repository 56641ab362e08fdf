import { describe, expect, test } from "bun:test";
import { Rejection } from "../../../src/core/rejection.ts";
import type { CallHead } from "../../../src/core/request.ts";
import { responses } from "../../../src/protocol/responses/dialect.ts";
import { readEnvelope } from "../../../src/protocol/responses/envelope.ts";
import { haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { objectOf, recordings, textOf, utf8 } from "./recorded.ts";

const chat: CallHead = {
  operation: "chat",
  tail: "/responses",
  query: "",
  model: undefined,
  stream: undefined,
};
const limits = { depthMax: 64 };
const read = (body: string, head: CallHead = chat) => readEnvelope(head, utf8(body), limits);

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test.each(recordings.filter(({ request }) => request !== undefined))(
    "$name is told apart",
    ({ request }) => {
      const body = objectOf(request!);
      const found = readEnvelope(chat, request!.slice(), limits);
      if (found instanceof Rejection) {
        expect(body["model"]).toBeUndefined(); // A stored prompt may name it: no route could.
        return;
      }
      const { envelope } = found;
      expect(envelope).toMatchObject({
        dialect: "responses",
        model: body["model"],
        stream: body["stream"] === true,
        outputTokensMax: body["max_output_tokens"] ?? undefined,
      });
      const { start, end } = envelope.modelSpan!;
      expect(textOf(request!.slice(start, end))).toBe(JSON.stringify(body["model"]));
    },
  );
});

describe("a body", () => {
  test.each([
    ['{"model":"m","model":"n"}', "model"],
    ['{"input":"x"}', "model"],
    ['{"model":"m","stream":1}', "stream"],
    ['{"model":"m","max_output_tokens":-1}', "max_output_tokens"],
    ["[]", undefined],
    ["", undefined],
  ])("%s is refused", (body, param) => {
    const refused = read(body);
    expect(refused).toBeInstanceOf(Rejection);
    expect((refused as Rejection).reason).toMatchObject({ kind: "malformed", param });
  });
  test("tells its privacy mark", () => {
    expect(read('{"model":"m","metadata":{"privacy":"private"}}')).toMatchObject({
      privacyMark: "private",
    });
  });
});

test.each([
  ["chat", "/responses", "", "/responses"],
  ["chat", "/responses", "api-version=1", "/responses?api-version=1"],
  ["native", "/responses/resp_1/cancel", "", "/responses/resp_1/cancel"],
  ["native", "/responses/resp_1", "stream=true", "/responses/resp_1?stream=true"],
] as const)("a %s call of %s with %j goes to %s", (operation, tail, query, path) => {
  const head: CallHead = { operation, tail, query, model: undefined, stream: undefined };
  expect(responses.upstreamPath({ head, model: "m", stream: false })).toBe(path);
});

test("models are listed as OpenAI lists them", () => {
  const entry = { id: "m", object: "model", created: 7, owned_by: "o" };
  const model = { id: "m", created: 7, owner: "o" };
  expect(JSON.parse(responses.writeModels([model]))).toEqual({ object: "list", data: [entry] });
  expect(JSON.parse(responses.writeModel(model))).toEqual(entry);
});
