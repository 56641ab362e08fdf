// TS2345: Argument of type 'readonly Lane<"external">[]' is not assignable to parameter of type 'readonly Lane<"local">[]'.
import type { Lane } from "../../../src/core/pool.ts";
import type { External, Private } from "../../../src/core/privacy.ts";
import type { Request } from "../../../src/core/request.ts";
import { attempt } from "../../../src/upstream/attempt.ts";
import type { AttemptContext } from "../../../src/upstream/context.ts";

declare const request: Request<Private>;
declare const lanes: readonly Lane<External>[];
declare const context: AttemptContext;
void attempt(request, lanes, context);
