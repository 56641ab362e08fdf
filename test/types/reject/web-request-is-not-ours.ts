// TS2315: Type 'Request' is not generic.
import type { Private } from "../../../src/core/privacy.ts";

export declare const request: Request<Private>;
