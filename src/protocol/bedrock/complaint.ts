import { type Foreign, foreignObject, foreignText } from "../../wire/foreign.ts";

/** What an answer or an exception frame says is wrong: protocols.md §6.1. */
export interface Complaint {
  /** The exception's name in lower case, without namespace and URL; "" where none is said. */
  readonly name: string;
  /** In its own words, cut: a validation message may echo the whole prompt. */
  readonly message: string;
  /** The status the model's own host answered, where Bedrock passes it on. */
  readonly originalStatus: number | undefined;
}

const MESSAGE_LENGTH_MAX = 4096;

/**
 * The complaint of an error answer. AWS's REST protocol names the exception in `x-amzn-errortype`
 * (`ThrottlingException:http://…`), others in `__type` (`com.amazon#ThrottlingException`).
 */
export function readComplaint(errorType: string | null, body: unknown): Complaint {
  const said = foreignObject(body) ?? {};
  const name = errorType ?? foreignText(said["__type"]) ?? foreignText(said["code"]) ?? "";
  return complaintOf(plainName(name), said);
}

/** The complaint of an exception frame, whose name stands in its headers. */
export function complaintOf(name: string, said: Foreign): Complaint {
  const message = foreignText(said["message"]) ?? foreignText(said["Message"]) ?? "";
  const status = said["originalStatusCode"];
  return {
    name: name.toLowerCase(),
    message: message.slice(0, MESSAGE_LENGTH_MAX),
    originalStatus: typeof status === "number" ? status : undefined,
  };
}

function plainName(name: string): string {
  const [whole = ""] = name.split(":", 1);
  return whole.slice(whole.lastIndexOf("#") + 1).trim();
}
