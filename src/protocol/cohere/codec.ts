import type { Codec } from "../codec.ts";
import { capabilities } from "./capabilities.ts";
import { readAnswer } from "./read-answer.ts";
import { readRequest } from "./read-request.ts";
import { streamReader } from "./read-stream.ts";
import { writeAnswer } from "./write-answer.ts";
import { writeRequest } from "./write-request.ts";
import { streamWriter } from "./write-stream.ts";

/** Cohere's v2 chat between its wire and the representation. */
export const codec: Codec = {
  capabilities,
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  streamReader,
  streamWriter,
};
