import type { Capabilities } from "../../core/capabilities.ts";
import type { DialectId } from "../../core/ids.ts";
import type { Rejection } from "../../core/rejection.ts";
import type { Report } from "../ir/loss.ts";
import type { DocumentRef, IrRequest } from "../ir/request.ts";
import { type AnswerTool, withAnswerTool } from "./prepare/answer-tool.ts";
import { fitBareStrings } from "./prepare/bare-strings.ts";
import { fitMarks } from "./prepare/cache-marks.ts";
import { createFit, type Fit } from "./prepare/fit.ts";
import { fitKnobs } from "./prepare/knobs.ts";
import { marksOnBlocks } from "./prepare/marks-on-blocks.ts";
import { barsKnobs, fitOutputCap, fitThinking } from "./prepare/output-cap.ts";
import { fitOutput } from "./prepare/output-format.ts";
import { dropExt } from "./prepare/own-words.ts";
import { pairCalls } from "./prepare/pairing.ts";
import { fitReasoning } from "./prepare/reasoning-ask.ts";
import { loopStart, withoutForeignLoop } from "./prepare/reasoning-history.ts";
import { fitSampling } from "./prepare/sampling.ts";
import { fitStop } from "./prepare/stop-strings.ts";
import { fitSystem } from "./prepare/system.ts";
import { fitChoice } from "./prepare/tool-choice.ts";
import { fitTools } from "./prepare/tools.ts";
import { fitEnds, withDocuments } from "./prepare/turn-ends.ts";
import { fitTurns } from "./prepare/turns.ts";

export interface PrepareOptions {
  readonly target: DialectId;
  readonly capabilities: Capabilities;
  readonly report: Report;
}

/** A request that fits its target, and what the gateway must do to the answer. */
export interface Prepared {
  readonly request: IrRequest;
  /** By the wire's name, the caller's, for tools that had to be renamed. */
  readonly toolNames: ReadonlyMap<string, string>;
  /** Stop strings the gateway must cut at itself. */
  readonly cutAt: readonly string[];
  /** Freeform tools that go out as functions, by the wire's name. */
  readonly unwrapped: ReadonlySet<string>;
  /** The tool whose arguments are the answer. */
  readonly answerTool: AnswerTool | undefined;
}

/**
 * Makes a request that was read from any protocol fit its target, and reports whatever cannot be
 * carried as it was (protocols.md §3). What the target would refuse in any case is refused here.
 */
export function prepare(request: IrRequest, options: PrepareOptions): Prepared | Rejection {
  const fit = createFit(request, options);
  const source = marksOnBlocks(dropExt(request, { kind: "request", path: "", fit }), fit);
  const pairs = pairCalls(source.messages, fit);
  const wrong = fit.rejection();
  if (wrong !== undefined) return wrong;
  const { tools, names, unwrapped } = fitTools(source, pairs, fit);
  const documents: DocumentRef[] = [];
  const { system, first, taken } = fitSystem(source, fit);
  const context = { pairs, names, fit, documents, loopStart: loopStart(source.messages) };
  const turns = [...first, ...fitTurns(source.messages, taken, context)];
  const messages = fitEnds(turns, { isEmpty: turns.length + source.messages.length === 0, fit });
  const thinking = fitThought(source, { messages, fit });
  const hasHistory = pairs.lastTurn >= 0;
  // Thinking that finds its own measure leaves the choice alone: two recordings of Claude Opus 4.6.
  const isManual = thinking.reasoning?.mode !== "adaptive";
  const isBarred = isManual && barsKnobs(thinking.reasoning, fit);
  const choice = fitChoice(source, { tools, names, hasHistory, isBarred, fit });
  const { stop, cutAt } = fitStop(source, fit);
  const fitted: IrRequest = {
    ...source,
    ...fitKnobs(source, fit),
    ...thinking,
    ...choice,
    ...fitDocuments(source, { messages, documents, fit }),
    system,
    stop,
    output: fitOutput(source, fit),
  };
  refuseMixture(fitted, fit);
  const { request: formed, answerTool } = withAnswerTool(fitted, { asked: source, isBarred, fit });
  const whole = fitBareStrings(fitMarks(formed, fit), fit);
  const { renamed: toolNames } = names;
  return fit.rejection() ?? { request: whole, toolNames, cutAt, unwrapped, answerTool };
}

interface Written {
  readonly messages: IrRequest["messages"];
  readonly fit: Fit;
}

/** How the model thinks, and the knobs that give way to it. */
function fitThought(source: IrRequest, { messages, fit }: Written) {
  const isSealed = messages.some(({ blocks }) =>
    blocks.some((block) => block.type === "reasoning" && block.sealed !== undefined),
  );
  const asked = fitReasoning(source, isSealed, fit);
  const reasoning = asked && withoutForeignLoop(asked, messages, fit);
  return fitThinking(
    {
      reasoning,
      maxOutputTokens: fitOutputCap(source, fit),
      sampling: fitSampling(source, fit),
    },
    fit,
  );
}

/** Cohere's documents go among the messages of any other target, and the other way round. */
function fitDocuments(
  { documents }: IrRequest,
  { messages, documents: found, fit }: Written & { readonly documents: readonly DocumentRef[] },
): Pick<IrRequest, "messages" | "documents"> {
  if (!fit.capabilities.requestDocuments) {
    return { messages: withDocuments(messages, documents ?? [], fit), documents: undefined };
  }
  return { messages, documents: found.length === 0 ? documents : [...(documents ?? []), ...found] };
}

/** Cohere answers in a form of the caller's only without tools and documents: §3.10. */
function refuseMixture({ output, tools, documents }: IrRequest, fit: Fit): void {
  if (fit.target !== "cohere" || output === undefined) return;
  if ((tools?.length ?? 0) === 0 && (documents?.length ?? 0) === 0) return;
  fit.refuse(fit.paths.output, "it cannot be combined with tools or documents there.");
}
