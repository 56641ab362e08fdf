/** What the environment holds. Handed in, so that nothing below reads the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What came of putting variables into a text. */
export type Expansion =
  | { readonly kind: "plain"; readonly text: string }
  /** Variables were put in; `text` must not be shown to anybody. */
  | { readonly kind: "expanded"; readonly text: string }
  | { readonly kind: "unset"; readonly names: readonly string[] }
  | { readonly kind: "bad_name" }
  | { readonly kind: "unclosed" };

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;

/** Whether a shell could have set a variable of that name. */
export function isVariableName(name: string): boolean {
  return VARIABLE_NAME.test(name);
}

/**
 * Puts variables into one scalar of the file: `${NAME}` is the value of NAME, `$${` is a literal
 * `${`, and any other `$` is itself. What comes in is not expanded again.
 */
export function expand(text: string, env: Environment): Expansion {
  if (!text.includes("${")) return { kind: "plain", text };
  const unset: string[] = [];
  let out = "";
  let from = 0;
  let expanded = false;
  for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", from)) {
    if (text[at - 1] === "$") {
      out += `${text.slice(from, at - 1)}\${`;
      from = at + 2;
      continue;
    }
    const close = text.indexOf("}", at);
    if (close < 0) return { kind: "unclosed" };
    const name = text.slice(at + 2, close);
    if (!isVariableName(name)) return { kind: "bad_name" };
    const value = env[name];
    if (value === undefined) unset.push(name);
    out += text.slice(from, at) + (value ?? "");
    from = close + 1;
    expanded = true;
  }
  if (unset.length > 0) return { kind: "unset", names: unset };
  return { kind: expanded ? "expanded" : "plain", text: out + text.slice(from) };
}
