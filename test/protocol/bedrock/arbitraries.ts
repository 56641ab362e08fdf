import fc from "fast-check";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";

type Wire = fc.Arbitrary<JsonObject>;
type Members = { readonly [name: string]: fc.Arbitrary<unknown> };

const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant(""));
const count = fc.nat(5000);
const json = fc.jsonValue({ maxDepth: 3 });
const UNKNOWN = "somethingNew";

/** An object with some members that must be there, some that may, and sometimes an unknown one. */
function shape(must: Members, may: Members = {}): Wire {
  const optional = fc.record(
    { ...may, [UNKNOWN]: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, json) },
    { requiredKeys: [] },
  );
  return fc.tuple(fc.record(must), optional).map(([a, b]) => {
    const all: Record<string, unknown> = { ...a, ...b };
    if (all[UNKNOWN] === undefined) delete all[UNKNOWN];
    return JSON.parse(JSON.stringify(all)) as JsonObject;
  });
}

const union = (...members: readonly Wire[]): Wire => fc.oneof(...members);
const list = <T>(item: fc.Arbitrary<T>, max = 3) => fc.array(item, { maxLength: max });
const texts = list(shape({ text }));

const s3 = shape({ s3Location: shape({ uri: text }, { bucketOwner: text }) });
const bytes = shape({ bytes: fc.base64String() });
const enabled = shape({ enabled: fc.boolean() });
const format = (...words: readonly string[]) => fc.constantFrom(...words, "unheard-of");

const image = shape(
  { format: format("png", "jpeg", "gif", "webp"), source: union(bytes, s3) },
  { error: shape({}, { message: text }) },
);
const document = shape(
  { name: text, source: union(bytes, s3, shape({ text }), shape({ content: texts })) },
  { format: format("pdf", "txt", "md", "docx", "csv"), context: text, citations: enabled },
);
const video = shape({ format: format("mp4", "mpg", "mpeg", "three_gp"), source: union(bytes, s3) });
const audio = shape({ format: format("mp3", "wav", "mpeg", "mka"), source: union(bytes, s3) });
const cachePoint = shape({ type: fc.constant("default") }, { ttl: fc.constantFrom("5m", "1h") });
const searchResult = shape({ source: text, title: text, content: texts }, { citations: enabled });
const span = (index: string) => shape({}, { [index]: count, start: count, end: count });
const location = union(
  shape({ documentChar: span("documentIndex") }),
  shape({ documentPage: span("documentIndex") }),
  shape({ documentChunk: span("documentIndex") }),
  shape({ searchResultLocation: span("searchResultIndex") }),
  shape({ web: shape({}, { url: fc.oneof(fc.webUrl(), text), domain: text }) }),
);
const citation = shape(
  {},
  { title: text, source: fc.oneof(text, fc.webUrl()), sourceContent: texts, location },
);
const citationsContent = shape({}, { content: texts, citations: list(citation) });
const reasoningContent = union(
  shape({ reasoningText: shape({ text }, { signature: text }) }),
  shape({ redactedContent: fc.base64String() }),
);
const toolUse = shape(
  { toolUseId: text, name: text, input: fc.oneof(json, fc.constant({})) },
  { type: fc.constant("server_tool_use") },
);
const resultContent = union(
  shape({ text }),
  shape({ json }),
  shape({ image }),
  shape({ document }),
  shape({ video }),
  shape({ searchResult }),
);
const toolResult = shape(
  { toolUseId: text, content: list(resultContent) },
  { status: fc.constantFrom("success", "error"), type: fc.constant("nova_grounding_result") },
);
const guardContent = shape({ text: shape({ text }, { qualifiers: list(text) }) });

/** A block of a message. */
export const block: Wire = union(
  shape({ text }),
  shape({ image }),
  shape({ document }),
  shape({ video }),
  shape({ audio }),
  shape({ toolUse }),
  shape({ toolResult }),
  shape({ guardContent }),
  shape({ cachePoint }),
  shape({ reasoningContent }),
  shape({ citationsContent }),
  shape({ searchResult }),
  shape({ toolAddition: shape({ tool: json }) }),
  shape({ toBeInvented: json }),
);
const message = shape({
  role: fc.constantFrom("user", "assistant", "system"),
  content: list(block, 5),
});
const thinking = union(
  shape({ type: fc.constant("enabled"), budget_tokens: count }, { display: text }),
  shape({ type: fc.constantFrom("adaptive", "disabled") }, { display: fc.constant("summarized") }),
  shape({ type: fc.constantFrom("between_tools", "enabled") }),
  shape({ type: fc.constantFrom("adaptive", "disabled"), budget_tokens: count }),
);
const effort = fc.constantFrom("low", "medium", "high", "xhigh", "max", "utmost");
const schema = fc.oneof(
  fc.constant('{"type": "object",  "properties": {}}'),
  fc.constant('{"type":"object"}'),
  fc.constant("not json"),
);
const textFormat = shape({
  type: fc.constant("json_schema"),
  structure: shape({ jsonSchema: shape({ schema }, { name: text, description: text }) }),
});
const tool = union(
  shape({
    toolSpec: shape(
      { name: text, inputSchema: shape({ json }) },
      { description: text, strict: fc.boolean() },
    ),
  }),
  shape({ systemTool: shape({ name: text }) }),
  shape({ cachePoint }),
);
const toolChoice = union(
  shape({ auto: shape({}) }),
  shape({ any: shape({}) }),
  shape({ tool: shape({ name: text }) }),
);

/** A request that Bedrock's API model allows, with here and there a member it does not know. */
export const converseRequest: Wire = shape(
  {},
  {
    messages: list(message, 4),
    system: list(union(shape({ text }), shape({ guardContent }), shape({ cachePoint }))),
    inferenceConfig: shape(
      {},
      {
        maxTokens: count,
        temperature: fc.double({ min: 0, max: 1, noNaN: true }),
        topP: fc.double({ min: 0, max: 1, noNaN: true }),
        stopSequences: list(text),
      },
    ),
    toolConfig: shape({}, { tools: list(tool), toolChoice }),
    guardrailConfig: shape({}, { guardrailIdentifier: text, trace: text }),
    additionalModelRequestFields: shape(
      {},
      {
        thinking,
        top_k: count,
        output_config: shape({}, { effort }),
        inferenceConfig: shape({}, { topK: count }),
        reasoningConfig: json,
        anthropic_beta: list(text),
      },
    ),
    promptVariables: json,
    additionalModelResponseFieldPaths: list(text),
    requestMetadata: fc.dictionary(text, fc.oneof({ weight: 9, arbitrary: text }, count)),
    performanceConfig: shape({ latency: text }),
    serviceTier: shape({ type: text }),
    outputConfig: shape({}, { textFormat, effort }),
  },
);

const usage = shape(
  { inputTokens: count, outputTokens: count, totalTokens: count },
  {
    cacheReadInputTokens: count,
    cacheWriteInputTokens: count,
    cacheDetails: list(shape({ ttl: fc.constantFrom("5m", "1h"), inputTokens: count })),
  },
);

/** An answer that Bedrock's API model allows, and some more members. */
export const converseAnswer: Wire = shape(
  {
    output: shape({ message: shape({ role: fc.constant("assistant"), content: list(block, 5) }) }),
    stopReason: fc.constantFrom("end_turn", "tool_use", "max_tokens", "new_word"),
    usage,
    metrics: shape({ latencyMs: count }),
  },
  { additionalModelResponseFields: json, trace: json, serviceTier: shape({ type: text }) },
);

/** A block of a stream: its start, where it has one, and its deltas. */
interface StreamBlock {
  readonly start: JsonObject | undefined;
  readonly deltas: readonly JsonObject[];
}

const blockOf = (start: Wire | undefined, delta: Wire): fc.Arbitrary<StreamBlock> =>
  fc.record({
    start: start ?? fc.constant(undefined),
    deltas: fc.array(delta, { minLength: start === undefined ? 1 : 0, maxLength: 4 }),
  });
const textDelta = union(shape({ text }), shape({ citation }));
const reasoningDelta = shape({
  reasoningContent: union(
    shape({ text }),
    shape({ signature: text }),
    shape({ redactedContent: fc.base64String() }),
  ),
});
const inputDelta = shape({ toolUse: shape({ input: text }) });
const resultDelta = shape({ toolResult: list(union(shape({ text }), shape({ json }))) });
const imageDelta = shape({ image: shape({ source: bytes }) });
const streamBlock = fc.oneof(
  blockOf(undefined, textDelta),
  blockOf(undefined, reasoningDelta),
  blockOf(shape({ toolUse: shape({ toolUseId: text, name: text }) }), inputDelta),
  blockOf(
    shape({
      toolUse: shape({ toolUseId: text, name: text, type: fc.constant("server_tool_use") }),
    }),
    inputDelta,
  ),
  blockOf(shape({ toolResult: shape({ toolUseId: text }, { type: text }) }), resultDelta),
  blockOf(shape({ image: shape({ format: text }) }), imageDelta),
);

/** One event of a stream. */
export interface StreamEvent {
  readonly name: string;
  readonly payload: JsonObject;
}

/** A stream that Bedrock's API model allows, and some more members. */
export const converseStream: fc.Arbitrary<readonly StreamEvent[]> = fc
  .record({
    start: shape({ role: fc.constant("assistant") }),
    blocks: list(streamBlock, 4),
    stop: shape({ stopReason: text }, { additionalModelResponseFields: json }),
    metadata: shape({ usage, metrics: shape({ latencyMs: count }) }, { trace: json }),
  })
  .map(({ start, blocks, stop, metadata }) => [
    { name: "messageStart", payload: start },
    ...blocks.flatMap((said, contentBlockIndex) => [
      ...(said.start === undefined
        ? []
        : [{ name: "contentBlockStart", payload: { contentBlockIndex, start: said.start } }]),
      ...said.deltas.map((delta) => ({
        name: "contentBlockDelta",
        payload: { contentBlockIndex, delta },
      })),
      { name: "contentBlockStop", payload: { contentBlockIndex } },
    ]),
    { name: "messageStop", payload: stop },
    { name: "metadata", payload: metadata },
  ]);
