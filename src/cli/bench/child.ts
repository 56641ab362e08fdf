/** The children's side of the talk with `interlock bench`: JSON lines out, lines in. */

/** Says one thing to the parent. */
export function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Answers every line the parent sends, one at a time, until the parent closes the pipe or dies: a
 * child that outlives a killed bench would disturb the next one.
 */
export async function obey(answer: (line: string) => object | Promise<object>): Promise<void> {
  for await (const line of readLines(Bun.stdin.stream())) tell(await answer(line));
}

/** The lines of a byte stream, without their ends. An unfinished last line is dropped. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
