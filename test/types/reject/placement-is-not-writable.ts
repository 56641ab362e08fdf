// TS2540: Cannot assign to 'placement' because it is a read-only property.
import type { Backend } from "../../../src/core/backend.ts";
import type { Local } from "../../../src/core/privacy.ts";

declare const backend: Backend<Local>;
backend.placement = "local";
