// TS2673: Constructor of class 'Request<P>' is private and only accessible within the class declaration.
import { type Envelope, Request } from "../../../src/core/request.ts";

declare const envelope: Envelope;
new Request("shareable", envelope, new Uint8Array());
