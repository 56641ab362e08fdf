/** The entries of a mapping or a list by name or number; none of anything else. */
export function entriesOf(value: unknown): ReadonlyMap<string | number, unknown> {
  if (Array.isArray(value)) return new Map(value.entries());
  if (typeof value !== "object" || value === null) return new Map();
  return new Map(Object.entries(value));
}
