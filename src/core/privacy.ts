export type Private = "private";
export type Shareable = "shareable";
export type Privacy = Private | Shareable;

export type Local = "local";
export type External = "external";
export type Placement = Local | External;

/**
 * Where a request of class P may be sent.
 *
 * The tuple brackets stop the conditional from distributing, so a class the compiler cannot pin
 * down (`Private | Shareable`) admits local backends only: unknown falls to the closed side.
 */
export type Admits<P extends Privacy> = [P] extends [Shareable] ? Placement : Local;
