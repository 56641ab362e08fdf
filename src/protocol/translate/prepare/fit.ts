import type { Capabilities } from "../../../core/capabilities.ts";
import type { DialectId } from "../../../core/ids.ts";
import { Rejection } from "../../../core/rejection.ts";
import type { Loss, LossCode, Report } from "../../ir/loss.ts";
import type { IrRequest } from "../../ir/request.ts";
import { pathsOf, type WirePaths } from "./wire-paths.ts";

/** What every pass is told, and where it leaves what it has to say. */
export interface Fit {
  readonly origin: DialectId;
  readonly target: DialectId;
  readonly capabilities: Capabilities;
  /** How the caller's protocol spells the fields that are no nodes. */
  readonly paths: WirePaths;
  /** Reports what stood at `path`; dropped unless `how` says otherwise. */
  lose(code: LossCode, path: string, how?: LossHow): void;
  /** The caller's mistake, which the target would refuse as well. */
  malformed(path: string, detail: string): void;
  /** What the target cannot be told, and the request may not do without. */
  refuse(path: string, detail: string): void;
  /** Where the request refers to a history kept elsewhere; undefined where nothing told of that. */
  lostState(): string | undefined;
  /** The first refusal of any pass; the passes go on, so that all losses are known. */
  rejection(): Rejection | undefined;
}
export type LossHow = Partial<Pick<Loss, "action" | "detail" | "severity">>;

export interface FitOptions {
  readonly target: DialectId;
  readonly capabilities: Capabilities;
  readonly report: Report;
}

export function createFit(request: IrRequest, options: FitOptions): Fit {
  const { target, capabilities, report } = options;
  let rejection: Rejection | undefined;
  let lostState: string | undefined;
  return {
    origin: request.origin,
    target,
    capabilities,
    paths: pathsOf(request),
    lose(code, path, how) {
      if (code === "L-STATE" && how?.severity === undefined) lostState ??= path;
      report({ code, path, action: "dropped", ...how });
    },
    malformed(path, detail) {
      rejection ??= new Rejection({ kind: "malformed", param: path, detail });
    },
    refuse(path, detail) {
      rejection ??= new Rejection({ kind: "loss_refused", path, detail });
    },
    lostState: () => lostState,
    rejection: () => rejection,
  };
}
