import type { Answered, ControlLine, ControlRequest } from "./control.ts";

/** What asking a socket came to. */
export type Asked = Answered | "nobody" | "hung up";

/** Asks one running gateway. `say` gets what it tells on the way. */
export async function askControl(
  path: string,
  request: ControlRequest,
  say: (text: string) => void,
): Promise<Asked> {
  const { promise, resolve } = Promise.withResolvers<Asked>();
  const decoder = new TextDecoder();
  let text = "";
  const read = (line: string): void => {
    const message = JSON.parse(line) as ControlLine;
    if ("say" in message) say(message.say);
    else resolve(message.done);
  };
  const connected = Bun.connect({
    unix: path,
    socket: {
      open(socket) {
        socket.write(`${JSON.stringify(request)}\n`);
      },
      data(_socket, bytes) {
        const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
        text = lines.pop() ?? "";
        for (const line of lines) read(line);
      },
      close: () => resolve("hung up"),
      error: () => resolve("hung up"),
    },
  });
  connected.catch(() => resolve("nobody")); // A socket whose process has died refuses.
  return promise;
}
