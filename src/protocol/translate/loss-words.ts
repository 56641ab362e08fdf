import { Rejection } from "../../core/rejection.ts";
import { type Loss, type LossCode, type Severity, weighs } from "../ir/loss.ts";

/** What is wrong and what mends it, in one clause, for a caller whose request was refused. */
const WORDS: Readonly<Record<LossCode, string>> = {
  "L-STATE":
    "a reference to state kept elsewhere cannot be honoured; send the whole conversation instead",
  "L-CACHEREF": "cached content lies with its vendor; send that part of the prompt itself",
  "L-FILEID": "a file kept by one vendor cannot be read by another; send its bytes or a public URL",
  "L-N": "this API gives one answer at a time; ask for one, or send the request several times",
  "L-HOSTED": "a tool that its vendor runs does not exist there; leave it out or run it yourself",
  "L-HOSTED-OPTS": "this option of a vendor-run tool does not exist there; leave it out",
  "L-SAFETY": "safety settings do not carry over; leave them out or use the vendor's own API",
  "L-PREFILL": "an assistant message at the end is not continued there; end with a user message",
  "L-SYSTEM-MOVED": "system messages may not stand in the middle there; put them first",
  "L-PARALLEL": "parallel tool calls cannot be switched off there; allow them",
  "L-TOOLNONE": "tools cannot be forbidden there while they are listed; leave the tools out",
  "L-TOOLCHOICE-THINKING":
    "a tool cannot be forced there while the model thinks; let it choose, or switch thinking off",
  "L-STRICT": "strict schemas cannot be demanded there; leave `strict` out",
  "L-JSONMODE": "there is no mode for any JSON there; give a JSON schema instead",
  "L-FREEFORM": "a tool with free text and its grammar does not exist there; use a function",
  "L-SCHEMA": "part of this schema cannot be said there; use a simpler one",
  "L-ARGS-INVALID": "the arguments of a tool call are no JSON object; send an object",
  "L-TOOLS-CHANGED": "tools cannot change within a conversation there; list them all at the top",
  "L-MODALITY": "this kind of output does not exist there; ask for text",
  "L-UNKNOWN-BLOCK": "this kind of content cannot be translated; send text, media or tool calls",
  "L-UNKNOWN-FIELD": "this field cannot be translated; leave it out",
  "L-TOPK": "top-k sampling does not exist there; leave it out",
  "L-PENALTY": "penalties do not exist there; leave them out",
  "L-SEED": "a seed cannot be given there; leave it out",
  "L-LOGITBIAS": "token biases do not carry over; leave them out",
  "L-LOGPROBS": "log probabilities cannot be had there; do not ask for them",
  "L-RANGE": "the value is outside what is allowed there; send one within",
  "L-EFFORT": "this reasoning effort does not exist there; use another word",
  "L-THINK-ADJUST": "thinking changes other parameters there; leave sampling out",
  "L-DETAIL": "the detail of an image cannot be chosen there; leave it out",
  "L-CACHE": "this cache mark has no place there; leave it out",
  "L-TIER": "this service tier does not exist there; leave it out",
  "L-USER": "an end user cannot be named there; leave the field out",
  "L-METADATA": "metadata has no place there; leave it out",
  "L-NAME": "messages have no names there; leave the name out",
  "L-TOOLIMG-MOVED": "a tool's result may hold only text there; send the image in a user message",
  "L-ASSISTANT-MEDIA": "an assistant message may hold only text there; leave the media out",
  "L-DOCCONTEXT": "documents have no context there; put it into the text",
  "L-ISERROR": "a tool's result has no error flag there; say so in its text",
  "L-REASONING-FOREIGN": "reasoning of another vendor's model is not taken there; leave it out",
  "L-REASONING-ASK": "the model is not known to reason; do not ask it to",
  "L-SIG-DUMMY": "a tool call lacks the signature its model wants; start the tool loop anew",
  "L-THINK-OFF": "a tool loop of another vendor's model must end first; switch thinking off",
  "L-CITE": "this citation has no place there; leave it out",
  "L-CITE-SPLIT": "a citation would split its text there; leave it out",
  "L-STOP": "this stop reason does not exist there",
  "L-BILLED": "billed units are not told there",
  "L-USAGE": "a token count is not told there",
  "L-TOOLOPTS": "this option of a tool does not exist there; leave it out",
  "L-SYSTEM-JOINED": "there is one system text there; send one",
  "L-TURN-ADDED": "a conversation begins with the user there; put a user message first",
  "L-EMPTY": "empty text is refused there; leave it out",
  "L-TOOLS-SYNTH": "calls in the history need their tools listed there; send the tool list",
  "L-TOOLNAME": "this name of a tool is not allowed there; use letters, digits and `_`",
  "L-TOOLFILTER": "a set of tools cannot be chosen there; list only those",
  "L-DOCNAME": "this name of a document is not allowed there; use letters, digits and spaces",
  "L-SCHEMA-NAME": "schemas differ in having names and descriptions; drop or add them",
  "L-SCHEMA-TOOL": "a schema for the answer does not exist there; use a tool",
  "L-CACHE-TTL": "this cache lifetime does not exist there; leave it out",
  "L-CACHEKEY": "a cache key has no place there; leave it out",
  "L-ORDER": "text between tool calls loses its place there; send text first",
  "L-BUFFERED": "parallel tool calls are put in sequence",
  "L-STOP-EMULATED": "stop strings do not exist there; leave them out",
  "L-MAXTOK-DEFAULT": "an output limit is required there; send one",
  "L-URL-FETCHED": "media cannot be named by a URL there; send its bytes",
};

/** The refusal of the first loss that matters as much as `least`; undefined when none does. */
export function refusedLoss(losses: readonly Loss[], least: Severity): Rejection | undefined {
  const loss = losses.find((each) => weighs(each, least));
  if (loss === undefined) return undefined;
  const detail = `${loss.code}: ${WORDS[loss.code]}`;
  return new Rejection({ kind: "loss_refused", path: loss.path, detail });
}
