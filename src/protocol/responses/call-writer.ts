import { argsText } from "../ir/args.ts";
import type { ToolCallBlock } from "../ir/block.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Desk, ItemWriter } from "./desk.ts";
import { callItem } from "./item-parts.ts";

/** One call of a function or of a custom tool. */
export class CallWriter implements ItemWriter {
  readonly #desk: Desk;
  readonly #block: ToolCallBlock;
  readonly #isFreeform: boolean;
  readonly #id: string;
  readonly #callId: string;
  #index = -1;
  #args = "";
  #isClosed = false;

  constructor(desk: Desk, block: ToolCallBlock) {
    this.#desk = desk;
    this.#block = block;
    this.#isFreeform = block.freeform === true;
    this.#id = block.id ?? desk.mint.id(this.#isFreeform ? "ctc" : "fc", desk.next);
    this.#callId = block.callId ?? desk.mint.id("call", desk.next);
  }

  start(): void {
    this.#index = this.#desk.open(this.#item("in_progress"));
    const { args, argsValue } = this.#block;
    if (args !== undefined) {
      this.write(args);
    } else if (argsValue !== undefined) {
      this.write(argsText(this.#block));
    }
  }

  write(text: string): void {
    if (text === "" || this.#isClosed) return;
    this.#args += text;
    const type = this.#isFreeform
      ? "response.custom_tool_call_input.delta"
      : "response.function_call_arguments.delta";
    this.#emit(type, { delta: text });
  }

  stop(): void {
    if (this.#isClosed) return;
    // A wire of text never gets none for arguments: protocols.md 3.7.
    if (this.#args === "" && !this.#isFreeform) this.write("{}");
    this.#isClosed = true;
    if (this.#isFreeform) {
      this.#emit("response.custom_tool_call_input.done", { input: this.#args });
    } else {
      const { name } = this.#block;
      this.#emit("response.function_call_arguments.done", { name, arguments: this.#args });
    }
    this.#desk.close(this.#index, this.#item("completed"));
  }

  #item(status: "in_progress" | "completed"): JsonObject {
    const { name, namespace } = this.#block;
    return callItem({
      id: this.#id,
      callId: this.#callId,
      name,
      namespace,
      freeform: this.#isFreeform,
      args: this.#args,
      status,
    });
  }

  #emit(type: string, body: JsonObject): void {
    this.#desk.emit(type, { item_id: this.#id, output_index: this.#index, ...body });
  }
}
