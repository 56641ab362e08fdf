// The official SDK as a client, under Node and under Bun: one job per line in, one outcome per line out.
import { createInterface } from "node:readline";
import OpenAI from "openai";

/** What an SDK user sees: the object, or the chunks, or the thrown error. */
async function outcomeOf({ baseURL, request, how }) {
  const options = { maxRetries: 0, timeout: 30_000, logLevel: "off" };
  const client = new OpenAI({ apiKey: "sk-client", baseURL, ...options });
  const chunks = [];
  try {
    if (how === "accumulate") {
      const stream = client.chat.completions.stream(request);
      return { completion: await stream.finalChatCompletion() };
    }
    const { data, response } = await client.chat.completions.create(request).withResponse();
    const type = response.headers.get("content-type");
    if (request.stream !== true) return { status: response.status, type, completion: data };
    for await (const chunk of data) chunks.push(chunk);
    return { status: response.status, type, chunks };
  } catch (error) {
    return { chunks, error: described(error) };
  }
}

function described(error) {
  const { name, message, status, code, type, param, error: body } = error;
  return { class: error.constructor.name, name, message, status, code, type, param, body };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await outcomeOf(JSON.parse(line)))}\n`);
}
