import fc from "fast-check";
import { EFFORTS } from "../../src/core/effort.ts";
import { DIALECT_IDS, type DialectId } from "../../src/core/ids.ts";
import type {
  Block,
  CacheMark,
  Citation,
  MediaBlock,
  ReasoningBlock,
  ResultContent,
  Signed,
  TextBlock,
  ToolCallBlock,
  ToolResultBlock,
} from "../../src/protocol/ir/block.ts";
import type {
  FunctionTool,
  IrRequest,
  Message,
  OutputFormat,
  ReasoningAsk,
  SystemBlock,
  Tool,
  ToolChoice,
} from "../../src/protocol/ir/request.ts";

/**
 * Requests as the readers could have read them. Every text that is not blank ends in a number of
 * its own between two `¤`, so that a test can follow it; `at` is set on every node.
 */

type Arb<T> = fc.Arbitrary<T>;
const maybe = <T>(arb: Arb<T>): Arb<T | undefined> => fc.option(arb, { nil: undefined, freq: 2 });
const seldom = <T>(arb: Arb<T>): Arb<T | undefined> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: arb });

/** Blank, plain, astral, half a surrogate pair, a separator. */
export const words: Arb<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom("", " ", "\n") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("😀 astral 𝒳", "e\u0301", "\ud83d", "Error: no", "a\u2028b"),
  },
);
const solid: Arb<string> = words.map((text) => (text.trim() === "" ? "w" : text));

const mark: Arb<CacheMark> = fc.record({
  ttl: maybe(fc.constantFrom("5m", "1h", "30m", "12h", "x")),
});
const cache = seldom(mark);
const signed: Arb<Signed> = fc.record({
  value: solid,
  encoding: fc.constantFrom("plain" as const, "base64-of-plain" as const),
  family: fc.constantFrom(
    "anthropic" as const,
    "openai" as const,
    "google" as const,
    "other" as const,
  ),
});

const citation: Arb<Citation> = fc.record({
  quoted: solid,
  span: maybe(fc.constant({ start: 0, end: 1, of: "block" as const })),
  place: maybe(
    fc.constantFrom(
      { kind: "char" as const, start: 0, end: 1, documentIndex: 0 },
      { kind: "web" as const },
    ),
  ),
  sources: maybe(fc.array(fc.record({ url: maybe(solid), title: maybe(solid) }), { maxLength: 2 })),
});

const text: Arb<TextBlock> = fc.record({
  type: fc.constant("text" as const),
  text: words,
  cache,
  citations: seldom(fc.array(citation, { minLength: 1, maxLength: 2 })),
  proof: seldom(signed),
  id: maybe(fc.constant("msg_1")),
});

const base64 = (mime: string, data: string, kind: MediaBlock["kind"]): Partial<MediaBlock> => ({
  kind,
  mime,
  source: { kind: "base64", data },
});
const PNG = "iVBORw0KGgoAAAANSUhEUg==";
const mediaSource: Arb<Partial<MediaBlock>> = fc.oneof(
  fc.constantFrom(
    base64("image/png", PNG, "image"),
    base64("image/jpg", "/9j/4AAQ", "image"),
    base64("application/pdf", "JVBERi0xLjc=", "document"),
    base64("text/plain", Buffer.from("plain ✓").toString("base64"), "document"),
    base64("audio/wav", "UklGRiQA", "audio"),
    base64("video/mp4", "AAAAIGZ0", "video"),
    base64("image/tiff", "SUkqAA==", "image"),
    { kind: "image" as const, source: { kind: "base64" as const, data: PNG } },
  ),
  solid.map((url) => ({
    kind: "image" as const,
    source: { kind: "url" as const, url: `https://a/${url}` },
  })),
  solid.map((each) => ({
    kind: "document" as const,
    mime: "text/plain",
    source: { kind: "text" as const, text: each },
  })),
  fc.constantFrom(...DIALECT_IDS).map((vendor) => ({
    kind: "image" as const,
    source: { kind: "reference" as const, vendor, raw: { file_id: "file-1" } },
  })),
  fc.array(text, { minLength: 1, maxLength: 3 }).map((blocks) => ({
    kind: "document" as const,
    source: {
      kind: "blocks" as const,
      blocks: blocks.map((each) => ({ type: each.type, text: each.text })),
    },
  })),
);
const media: Arb<MediaBlock> = fc
  .record({
    source: mediaSource,
    extra: fc.record({
      detail: maybe(fc.constantFrom("auto", "low", "high")),
      cache,
      title: maybe(solid),
      filename: maybe(solid),
      context: maybe(solid),
      citations: maybe(fc.boolean()),
    }),
  })
  .map(
    ({ source, extra: { title, filename, context, citations, ...extra } }) =>
      ({
        type: "media",
        ...extra,
        ...(source.kind === "document" ? { title, filename, context, citations } : {}),
        ...source,
      }) as MediaBlock,
  );

const searchResult = fc.record({
  type: fc.constant("search_result" as const),
  source: solid,
  title: maybe(solid),
  content: fc.array(
    solid.map((each) => ({ type: "text" as const, text: each })),
    { maxLength: 2 },
  ),
  citations: maybe(fc.boolean()),
  cache,
});

/** What one vendor alone knows. */
const vendorBlock: Arb<Block> = fc
  .record({
    type: fc.constantFrom(
      "hosted_call" as const,
      "hosted_result" as const,
      "compaction" as const,
      "opaque" as const,
    ),
    vendor: fc.constantFrom(...DIALECT_IDS),
    word: fc.constantFrom("item_reference", "web_search", "guardContent", "what"),
    said: solid,
  })
  .map(({ type, vendor, word, said }) => {
    const raw = word === "guardContent" ? { guardContent: { text: { text: said } } } : { said };
    if (type === "opaque") return { type, vendor, wireType: word, raw };
    return type === "compaction" ? { type, vendor, raw } : { type, vendor, toolType: word, raw };
  });

const reasoning: Arb<ReasoningBlock> = fc.record({
  type: fc.constant("reasoning" as const),
  text: maybe(words),
  summary: maybe(fc.array(solid, { maxLength: 2 })),
  signature: maybe(signed),
  sealed: maybe(signed),
  planOf: maybe(fc.constant("tool" as const)),
  group: maybe(fc.constant("g1")),
});

const refusal = fc.record({ type: fc.constant("refusal" as const), text: words, cache });
const cacheMark = mark.map((each) => ({ type: "cache_mark" as const, cache: each }));
const jsonBlock = fc
  .oneof(
    fc.record({ output: solid }),
    fc.record({ a: solid, b: fc.constant(null) }),
    fc.constant([]),
  )
  .map((value) => ({ type: "json" as const, value }));

const userBlock: Arb<Block> = fc.oneof(
  { weight: 5, arbitrary: text as Arb<Block> },
  { weight: 2, arbitrary: media as Arb<Block> },
  { weight: 1, arbitrary: searchResult as Arb<Block> },
  { weight: 1, arbitrary: cacheMark as Arb<Block> },
  { weight: 1, arbitrary: vendorBlock },
);
const assistantBlock: Arb<Block> = fc.oneof(
  { weight: 4, arbitrary: text as Arb<Block> },
  { weight: 3, arbitrary: reasoning as Arb<Block> },
  { weight: 1, arbitrary: media as Arb<Block> },
  { weight: 1, arbitrary: refusal as Arb<Block> },
  { weight: 1, arbitrary: cacheMark as Arb<Block> },
  { weight: 1, arbitrary: vendorBlock },
);
const resultContent: Arb<ResultContent> = fc.oneof(
  { weight: 4, arbitrary: text as Arb<ResultContent> },
  { weight: 1, arbitrary: media as Arb<ResultContent> },
  { weight: 1, arbitrary: searchResult as Arb<ResultContent> },
  { weight: 2, arbitrary: jsonBlock as Arb<ResultContent> },
);

const toolName = fc.constantFrom(
  "get_weather",
  "get-weather",
  "get.weather",
  "9lives",
  "a".repeat(70),
  "wetter in 😀",
  "f",
);
const callId = fc.constantFrom("call_1", "toolu_01", "x".repeat(80), "call 2/ü", "call_1");

interface CallPlan {
  readonly call: Omit<ToolCallBlock, "callId">;
  readonly id: string;
  readonly result: Omit<ToolResultBlock, "callId" | "name">;
}
const callPlan: Arb<CallPlan> = fc
  .record({
    name: toolName,
    args: words,
    isObject: fc.boolean(),
    freeform: fc.boolean(),
    proof: maybe(signed),
    cache,
    id: callId,
    content: fc.array(resultContent, { maxLength: 3 }),
    isError: maybe(fc.boolean()),
    resultCache: cache,
  })
  .map(
    ({ name, args, isObject, freeform, proof, id, content, isError, resultCache, cache: own }) => ({
      call: {
        type: "tool_call",
        name,
        proof,
        cache: own,
        ...(freeform ? { args, freeform } : isObject ? { argsValue: { q: args } } : { args }),
      },
      id,
      result: {
        type: "tool_result",
        content,
        isError,
        cache: resultCache,
        ...(freeform && { freeform }),
      },
    }),
  );

type TurnPlan =
  | {
      readonly kind: "user" | "system" | "developer";
      readonly blocks: readonly Block[];
      readonly name?: string | undefined;
    }
  | {
      readonly kind: "assistant";
      readonly blocks: readonly Block[];
      readonly calls: readonly CallPlan[];
      /** One message per result, all in one, or the results with the user's words behind them. */
      readonly place: "tool" | "user" | "mixed";
      readonly order: "call" | "reverse";
    };
const turnPlan: Arb<TurnPlan> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("user" as const),
      blocks: fc.array(userBlock, { maxLength: 4 }),
      name: maybe(solid),
    }) as Arb<TurnPlan>,
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("assistant" as const),
      blocks: fc.array(assistantBlock, { maxLength: 3 }),
      calls: fc.oneof(
        { weight: 6, arbitrary: fc.array(callPlan, { maxLength: 3 }) },
        { weight: 1, arbitrary: fc.array(callPlan, { minLength: 5, maxLength: 9 }) },
      ),
      place: fc.constantFrom("tool" as const, "user" as const, "mixed" as const),
      order: fc.constantFrom("call" as const, "reverse" as const),
    }) as Arb<TurnPlan>,
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("system" as const, "developer" as const),
      blocks: fc.array(fc.oneof(text as Arb<Block>, cacheMark as Arb<Block>, vendorBlock), {
        maxLength: 2,
      }),
    }) as Arb<TurnPlan>,
  },
);

/** Messages in which every call has its result; `ids` false leaves both without, as Gemini does. */
function messagesOf(plans: readonly TurnPlan[], ids: boolean): Message[] {
  const messages: Message[] = [];
  for (const plan of plans) {
    if (plan.kind !== "assistant") {
      messages.push({ role: plan.kind, blocks: plan.blocks, name: plan.name });
      continue;
    }
    const calls = plan.calls.map(({ call, id }) => (ids ? { ...call, callId: id } : call));
    messages.push({ role: "assistant", blocks: [...plan.blocks, ...calls] });
    if (calls.length === 0) continue;
    const results: ToolResultBlock[] = plan.calls.map(({ call, id, result }) =>
      ids ? { ...result, callId: id } : { ...result, name: call.name },
    );
    if (plan.order === "reverse") results.reverse();
    if (plan.place === "tool")
      for (const result of results) messages.push({ role: "tool", blocks: [result] });
    else if (plan.place === "user") messages.push({ role: "user", blocks: results });
    else messages.push({ role: "user", blocks: [...results, { type: "text", text: "and then" }] });
  }
  return messages;
}

const functionTool: Arb<FunctionTool> = fc.record({
  kind: fc.constant("function" as const),
  name: toolName,
  description: maybe(solid),
  parameters: maybe(
    fc.constantFrom({ type: "object", properties: { q: { type: "string" } } }, null),
  ),
  schemaDialect: fc.constant("json-schema" as const),
  strict: maybe(fc.boolean()),
  cache,
});
const tool: Arb<Tool> = fc.oneof(
  { weight: 5, arbitrary: functionTool as Arb<Tool> },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("freeform" as const),
      name: toolName,
      description: maybe(solid),
      format: maybe(
        fc.constantFrom(
          { type: "text" },
          { type: "grammar", syntax: "lark", definition: "start: /\\d/" },
        ),
      ),
    }) as Arb<Tool>,
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("hosted" as const),
      vendor: fc.constantFrom(...DIALECT_IDS),
      type: fc.constant("web_search"),
      raw: solid.map((said) => ({ said })),
    }) as Arb<Tool>,
  },
  { weight: 1, arbitrary: mark.map((each) => ({ kind: "cache_mark", cache: each })) as Arb<Tool> },
);
const tools: Arb<readonly Tool[] | undefined> = maybe(
  fc.oneof(
    { weight: 9, arbitrary: fc.array(tool, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.array(functionTool, { minLength: 64, maxLength: 64 }) },
  ),
);
const toolChoice: Arb<ToolChoice> = fc.oneof(
  fc
    .constantFrom("auto" as const, "none" as const, "required" as const, "validated" as const)
    .map((kind) => ({ kind })),
  toolName.map((name) => ({ kind: "tool" as const, name })),
  fc.record({
    kind: fc.constant("allowed" as const),
    mode: fc.constantFrom("auto" as const, "required" as const),
    names: fc.array(toolName, { minLength: 1, maxLength: 2 }),
  }),
);

export const reasoningAsk: Arb<ReasoningAsk> = fc.record({
  mode: fc.constantFrom("off" as const, "on" as const, "adaptive" as const),
  effort: maybe(fc.constantFrom(...EFFORTS)),
  budgetTokens: maybe(fc.constantFrom(-1, 0, 500, 1024, 5000, 40_000)),
  show: maybe(fc.constantFrom("full" as const, "summary" as const, "omit" as const)),
});
const output: Arb<OutputFormat> = fc.oneof(
  fc.constantFrom({ kind: "text" as const }, { kind: "json" as const }),
  fc.record({
    kind: fc.constant("schema" as const),
    schema: fc.constant({ type: "object" }),
    schemaDialect: fc.constant("json-schema" as const),
    name: maybe(solid),
    description: maybe(solid),
    strict: maybe(fc.boolean()),
  }),
);

const system: Arb<readonly SystemBlock[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: text as Arb<SystemBlock> },
    { weight: 1, arbitrary: cacheMark as Arb<SystemBlock> },
  ),
  { maxLength: 3 },
);
const unit = fc.double({ min: 0, max: 2, noNaN: true });

/** A request that its own protocol's server would not refuse for its tool calls. */
export const irRequest: Arb<IrRequest> = fc
  .record({
    origin: fc.constantFrom(...DIALECT_IDS),
    plans: fc.array(turnPlan, { maxLength: 6 }),
    ids: fc.boolean(),
    ext: maybe(solid),
    body: fc.record({
      system,
      tools,
      toolChoice: maybe(toolChoice),
      parallelToolCalls: maybe(fc.boolean()),
      sampling: fc.record({
        temperature: maybe(unit),
        topP: maybe(unit),
        topK: maybe(fc.nat(100)),
        frequencyPenalty: maybe(fc.double({ min: -2, max: 2, noNaN: true })),
        presencePenalty: maybe(fc.double({ min: -2, max: 2, noNaN: true })),
        logitBias: maybe(fc.constant({ "50256": -100 })),
      }),
      maxOutputTokens: maybe(fc.constantFrom(1, 100, 2000, 100_000)),
      stop: maybe(fc.array(words, { maxLength: 7 })),
      candidates: maybe(fc.constantFrom(1, 2)),
      seed: maybe(fc.nat()),
      logprobs: maybe(fc.record({ enabled: fc.boolean(), top: maybe(fc.nat(5)) })),
      reasoning: maybe(reasoningAsk),
      output: maybe(output),
      modalities: maybe(fc.constantFrom(["text"], ["text", "audio"], ["TEXT", "IMAGE"])),
      stream: fc.boolean(),
      cacheKey: maybe(solid),
      autoCache: seldom(mark),
      documents: maybe(
        fc.array(
          fc.record({
            id: maybe(solid),
            data: fc.oneof(solid, fc.record({ text: solid, title: solid })),
          }),
          { maxLength: 2 },
        ),
      ),
      endUser: maybe(solid),
      metadata: maybe(solid.map((value) => ({ value }))),
      tier: maybe(
        fc.constantFrom("auto", "default", "flex", "priority", "standard", "scale", "odd"),
      ),
      verbosity: maybe(fc.constantFrom("low", "high")),
    }),
  })
  .map(({ origin, plans, ids, ext, body }) =>
    located({
      origin,
      model: "m",
      messages: messagesOf(plans, ids),
      ...(ext !== undefined && { ext: { [origin]: { odd_word: ext } } }),
      ...body,
    } as IrRequest),
  );

/** Calls without results, results without calls, blocks where none of their kind belong. */
export const wildRequest: Arb<IrRequest> = fc
  .record({
    request: irRequest,
    stray: fc.array(
      fc.record({
        role: fc.constantFrom(
          "system" as const,
          "user" as const,
          "assistant" as const,
          "tool" as const,
        ),
        blocks: fc.array(
          fc.oneof(
            userBlock,
            assistantBlock,
            callPlan.map(({ call, id }) => ({ ...call, callId: id }) as Block),
            callPlan.map(({ result, id }) => ({ ...result, callId: id }) as Block),
          ),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 3 },
    ),
    at: fc.nat(6),
  })
  .map(({ request, stray, at }) =>
    located({ ...request, messages: request.messages.toSpliced(at, 0, ...stray) }),
  );

/** Members whose text means something to the code, so that it gets no number. */
const WORDS: ReadonlySet<string> = new Set(
  `type kind role mime encoding family ttl detail wireType toolType name of mode at origin tier
  format callId id group schemaDialect model verbosity effort show modalities names planOf`.split(
    /\s+/,
  ),
);
/** Names no code looks at. */
const FREE_NAME = /^(messages\[\d+\]|output)\.name$/;
/** Objects that are parts of a node. */
const PART = /(^toolChoice|reasoning|output|source|format|place)$/;

/** Gives every node its place and every text its number. */
export function located(request: IrRequest): IrRequest {
  let count = 0;
  const numbered = (text: string, path: string, name: string): string => {
    // A reader knows no vendor but its own.
    if (name === "vendor") return request.origin;
    const isWord = WORDS.has(name) && !FREE_NAME.test(path);
    const isData = name === "data" && /^[A-Za-z0-9+/]+=*$/.test(text);
    return isWord || isData || text.trim() === "" ? text : `${text}¤${count++}¤`;
  };
  const walk = (value: unknown, path: string, name: string): unknown => {
    if (typeof value === "string") return numbered(value, path, name);
    if (Array.isArray(value)) {
      return value.map((each, index) => walk(each, `${path}[${index}]`, name));
    }
    if (typeof value !== "object" || value === null) return value;
    const node: Record<string, unknown> = {};
    for (const [member, each] of Object.entries(value)) {
      node[member] = walk(each, path === "" ? member : `${path}.${member}`, member);
    }
    const isNode = "type" in value || "role" in value || "kind" in value;
    if (isNode && path !== "" && !PART.test(path)) node["at"] = path;
    return node;
  };
  return walk(request, "", "") as IrRequest;
}

export const dialectId: Arb<DialectId> = fc.constantFrom(...DIALECT_IDS);
