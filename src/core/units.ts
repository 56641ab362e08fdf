/** Milliseconds. Durations are on the monotonic clock unless a name says `wall`. */
export type Ms = number;
/** A count of bytes. */
export type Bytes = number;
/** Money in billionths of a US dollar; always an integer. */
export type Nano = number;
/** Bytes that own their memory, as the relay passes them. */
export type Chunk = Uint8Array<ArrayBuffer>;
