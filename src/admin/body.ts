import { z } from "zod";

/** What is wrong with what was sent, for whoever sent it. */
export class BadRequest extends Error {
  override readonly name = "BadRequest";
  readonly status: 400 | 415;
  /** The member that is wrong. */
  readonly param: string | undefined;

  constructor(message: string, { status = 400, param }: BadRequestOptions = {}) {
    super(message);
    this.status = status;
    this.param = param;
  }
}
interface BadRequestOptions {
  readonly status?: 400 | 415;
  readonly param?: string | undefined;
}

/**
 * The body as `schema` has it; no body is an empty object. A page of another origin cannot send
 * this content type unasked. @throws BadRequest
 */
export async function readBody<T extends z.ZodType>(
  request: Request,
  schema: T,
): Promise<z.infer<T>> {
  const text = await request.text();
  const type = request.headers.get("content-type") ?? "";
  if (text !== "" && !/^application\/json\s*(;|$)/i.test(type)) {
    throw new BadRequest("Send the body as `content-type: application/json`.", { status: 415 });
  }
  const read = schema.safeParse(text === "" ? {} : parsed(text));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
  const param = path.length === 0 ? undefined : path.join(".");
  const message = unknown === undefined ? said(issue) : "there is no such member";
  throw new BadRequest(`${param ?? "body"}: ${message}.`, { param });
}

/** The schema's own words; where it has none, which values are wanted. */
function said(issue: z.core.$ZodIssue | undefined): string {
  const isBare = issue?.message.startsWith("Invalid ") === true;
  if (isBare && issue.code === "invalid_type") return `give a value of type ${issue.expected}`;
  if (isBare && issue.code === "invalid_value") return `give one of ${issue.values.join(", ")}`;
  return issue?.message ?? "not readable";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest("The body is not JSON."); // The parser's own words could quote a secret.
  }
}
