import { describe, expect, test } from "bun:test";
import { type ExportLine, readExport } from "../../../src/state/ledger/export.ts";

const DAY = Date.UTC(2030, 0, 15);
function lines(text: string, chosen?: Parameters<typeof readExport>[1]): readonly ExportLine[] {
  const read = readExport(text, chosen);
  if (typeof read === "string") throw new Error(read);
  expect(read.skipped).toEqual([]);
  return read.lines;
}
const line = (rest: Partial<ExportLine>): ExportLine => ({
  ...{ day: DAY, model: "m", requests: undefined, inputTokens: undefined },
  ...{ outputTokens: undefined, cacheReadTokens: undefined, nano: undefined },
  ...rest,
});

describe("exports in the manner of", () => {
  test("OpenAI's usage: Unix seconds, input with what was cached", () => {
    const text = `start_time,start_time_iso,num_model_requests,model,input_tokens,output_tokens,input_cached_tokens
${DAY / 1000},2030-01-15T00:00:00+00:00,3,m,100,50,40
${DAY / 1000 + 3600},2030-01-15T01:00:00+00:00,1,m,10,5,0
`;
    expect(lines(text)).toEqual([
      line({ requests: 4, inputTokens: 110, outputTokens: 55, cacheReadTokens: 40 }),
    ]);
  });

  test("Anthropic's usage: input taken apart by cache", () => {
    const text = `usage_date_utc,model_version,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens
2030-01-15,m,10,20,30,40,5
`;
    expect(lines(text)).toEqual([line({ inputTokens: 100, outputTokens: 5, cacheReadTokens: 40 })]);
  });

  test("Anthropic's cost: a row for each kind of token", () => {
    const text = `usage_date_utc,model,token_type,cost_usd
2030-01-15,m,input_no_cache,0.5
2030-01-15,m,output,1.25
`;
    expect(lines(text)).toEqual([line({ nano: 1_750_000_000n })]);
  });

  test("a bill with a row for each kind and its tokens", () => {
    const text = `Date;Model;Token Type;Quantity;Amount
2030-01-15;m;input;1,000;$0.10
2030-01-15;m;cached input;500;$0.01
2030-01-15;m;output;200;$0.30
`;
    expect(lines(text)).toEqual([
      line({ inputTokens: 1500, cacheReadTokens: 500, outputTokens: 200, nano: 410_000_000n }),
    ]);
  });

  test("OpenRouter's activity: a row for each request", () => {
    const text = `created_at,model,tokens_prompt,tokens_completion,cost
2030-01-15 10:00:00,m,100,10,0.00001234567
2030-01-15 11:00:00.123,m,1,1,1e-7
`;
    expect(lines(text)).toEqual([
      line({ inputTokens: 101, outputTokens: 11, nano: 12_346n + 100n }),
    ]);
  });
});

test("a column can be named by hand, and goes before any guess", () => {
  const text = "date,model,input tokens,what I mean\n2030-01-15,m,1,2\n";
  expect(lines(text, new Map([["input", "What I mean"]]))).toEqual([line({ inputTokens: 2 })]);
});

test("days are UTC's, whatever zone a time is written in", () => {
  const text = "time,model,requests\n2030-01-15T23:30:00-02:00,m,1\n";
  expect(lines(text)).toEqual([line({ day: DAY + 86_400_000, requests: 1 })]);
});

test("a row that cannot be read is left out and told, with its line", () => {
  const read = readExport(`date,model,input_tokens,cost
yesterday,m,1,1
2030-01-15,,1,1
2030-01-15,m,many,1
2030-01-15,m,1,a lot
2030-01-15,m,7,1
`);
  expect(read).toMatchObject({
    lines: [{ inputTokens: 7 }],
    skipped: [
      { row: 2, why: "yesterday is no day" },
      { row: 3, why: "it names no model" },
      { row: 4, why: "many is no number of input" },
      { row: 5, why: "a lot is no amount of dollars" },
    ],
  });
});

test.each([
  ["", "the file is empty"],
  ["model,input\nm,1\n", "no column is the day"],
  ["date,input\n2030-01-15,1\n", "no column is the model"],
])("%j is told what it lacks", (text, why) => expect(readExport(text)).toContain(why));
