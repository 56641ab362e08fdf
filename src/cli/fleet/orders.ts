import type { Inputs } from "./inputs.ts";
import type { Manner, Report, Verdict } from "./serving.ts";
import type { Fixed } from "./fixed.ts";
import type { StartOptions } from "../start-options.ts";

/** What a supervisor asks of its workers. */
export type WorkerTalk = {
  /** Comes first: what to serve and where. */
  readonly open: { readonly order: OpenOrder; readonly answer: Verdict };
  readonly prepare: {
    readonly order: { readonly generation: number; readonly inputs: Inputs };
    readonly answer: Verdict;
  };
  readonly commit: { readonly order: object; readonly answer: Verdict };
  readonly discard: { readonly order: object; readonly answer: Verdict };
  readonly report: { readonly order: object; readonly answer: Report };
  readonly steer: {
    readonly order: { readonly first: number | undefined };
    readonly answer: Verdict;
  };
  /** Answered when the last request has ended; the worker's process ends after that. */
  readonly end: {
    readonly order: { readonly manner: Manner };
    readonly answer: { readonly cut: number; readonly report: Report };
  };
  readonly hurry: { readonly order: object; readonly answer: Verdict };
};

export interface OpenOrder {
  readonly options: StartOptions;
  readonly generation: number;
  readonly inputs: Inputs;
  readonly fixed: Fixed;
  /** The port to listen on, which `fixed` may leave to chance. */
  readonly port: number;
}

/**
 * What a running gateway asks of the one that is to follow it. The other may be of another version:
 * orders and answers are only ever added to.
 */
export type SuccessorTalk = {
  /** Start serving on this port beside me; answered when you do. */
  readonly succeed: {
    readonly order: { readonly port: number };
    readonly answer: Verdict & { readonly listeners?: number; readonly version?: string };
  };
  /** I have let go of the admin port and the control socket: take them. */
  readonly take: { readonly order: object; readonly answer: Verdict };
};
