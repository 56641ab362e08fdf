// TS2345: Argument of type 'Pool<"shareable">' is not assignable to parameter of type 'Pool<"private">'.
import type { Pool } from "../../../src/core/pool.ts";
import type { Private, Shareable } from "../../../src/core/privacy.ts";

declare function route(pool: Pool<Private>): void;
declare const pool: Pool<Shareable>;
route(pool);
