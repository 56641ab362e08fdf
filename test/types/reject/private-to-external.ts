// TS2345: Argument of type 'Backend<"external">' is not assignable to parameter of type 'Backend<"local">'.
import type { Backend } from "../../../src/core/backend.ts";
import type { External, Private } from "../../../src/core/privacy.ts";
import type { Request } from "../../../src/core/request.ts";
import { open, type OpenOptions } from "../../../src/upstream/open.ts";

declare const request: Request<Private>;
declare const backend: Backend<External>;
declare const options: OpenOptions;
void open(request, backend, options);
