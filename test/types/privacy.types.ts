// Read by `bun check`, never run. What must compile and what must not, side by side; each guarded
// statement is one line, or the formatter would part it from its directive.
import { expectTypeOf } from "bun:test";
import type { AnyBackend, Backend } from "../../src/core/backend.ts";
import type { Lane, Pool } from "../../src/core/pool.ts";
import type { Admits, External, Local, Placement } from "../../src/core/privacy.ts";
import type { Privacy, Private, Shareable } from "../../src/core/privacy.ts";
import { type AnyRequest, type Envelope, Request } from "../../src/core/request.ts";
import { attempt } from "../../src/upstream/attempt.ts";
import type { AttemptContext } from "../../src/upstream/context.ts";
import { open, type OpenOptions } from "../../src/upstream/open.ts";

declare const options: OpenOptions;
declare const context: AttemptContext;
declare const envelope: Envelope;
declare const secret: Request<Private>;
declare const plain: Request<Shareable>;
declare const either: AnyRequest;
declare const local: Backend<Local>;
declare const external: Backend<External>;
declare const anywhere: AnyBackend;
declare const localLanes: readonly Lane<Local>[];
declare const anyLanes: readonly Lane<Placement>[];
declare const externalLanes: readonly Lane<External>[];
declare const pool: { private: Pool<Private>; shareable: Pool<Shareable> };
const literal = { privacy: "shareable" as const, envelope };
const copy = { ...plain, map: plain.map, unseal: plain.unseal, toJSON: plain.toJSON };
const widened: Lane<Placement> = localLanes[0]!;
const spread = { ...secret, privacy: "shareable" as const };

// What compiles.
void open(secret, local, options);
void open(plain, local, options);
void open(plain, external, options);
void open(plain, anywhere, options);
void attempt(secret, localLanes, context);
void attempt(plain, anyLanes, context);

// What does not.
// @ts-expect-error a private request does not reach an external backend
void open(secret, external, options);
// @ts-expect-error nor a backend whose placement is not known
void open(secret, anywhere, options);
// @ts-expect-error nor by naming the other class
void open<Shareable>(secret, external, options);
// @ts-expect-error nor by naming both
void open<Privacy>(secret, external, options);
// @ts-expect-error an unnarrowed union goes nowhere, not even to a local backend
void open(either, local, options);
// @ts-expect-error a private request is not tried at external lanes
void attempt(secret, externalLanes, context);
// @ts-expect-error nor at lanes whose placement is not known
void attempt(secret, anyLanes, context);
// @ts-expect-error nor at the shareable pool's
void attempt(secret, pool.shareable.lanes, context);
// @ts-expect-error the payload does not open for an external backend
secret.unseal(external);
// @ts-expect-error nor without one
secret.unseal();
// @ts-expect-error the tag is not writable, even with its own value
secret.privacy = "private";
// @ts-expect-error private does not become shareable
expectTypeOf(secret).toExtend<Request<Shareable>>();
// @ts-expect-error shareable does not become private by assignment
expectTypeOf(plain).toExtend<Request<Private>>();
// @ts-expect-error neither widens to both
expectTypeOf(secret).toExtend<Request<Privacy>>();
// @ts-expect-error no literal is a Request
expectTypeOf(literal).toExtend<Request<Shareable>>();
// @ts-expect-error not even one with every public member
expectTypeOf(copy).toExtend<Request<Shareable>>();
// @ts-expect-error nor a spread of one
expectTypeOf(spread).toExtend<Request<Shareable>>();
// @ts-expect-error nor a new one
new Request("shareable", envelope, new Uint8Array());
// @ts-expect-error nor a subclass
class Loose extends Request<Shareable> {}
// @ts-expect-error a pool cannot be aliased as a mutable array and added to
const alias: Lane<Placement>[] = pool.private.lanes;
// @ts-expect-error a local lane cannot be given another backend
localLanes[0]!.backend = external;
// @ts-expect-error nor can a lane that was widened
widened.backend = external;
// @ts-expect-error pools do not swap
expectTypeOf(pool.private).toExtend<Pool<Shareable>>();
// @ts-expect-error pools do not swap
expectTypeOf(pool.shareable).toExtend<Pool<Private>>();
// @ts-expect-error nor widen to both
expectTypeOf(pool.private).toExtend<Pool<Privacy>>();

// The whole surface. A new member that hands out bytes shows up here first.
type Surface = "privacy" | "envelope" | "map" | "unseal" | "toJSON";
expectTypeOf<keyof Request<Private> & string>().toEqualTypeOf<Surface>();

expectTypeOf<Admits<Private>>().toEqualTypeOf<Local>();
expectTypeOf<Admits<Shareable>>().toEqualTypeOf<Placement>();
expectTypeOf<Admits<Privacy>>().toEqualTypeOf<Local>(); // Unknown falls to the closed side.
void [Loose, alias];
