// TS18013: Property '#payload' is not accessible outside class 'Request' because it has a private identifier.
import type { Private } from "../../../src/core/privacy.ts";
import type { Request } from "../../../src/core/request.ts";

declare const request: Request<Private>;
void request.#payload;
