/** The known name closest to `name`, when it is close enough to have been meant. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = fold(name);
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const folded = fold(candidate);
    const distance = closeness(wanted, folded);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** The question to put into a fix; empty when nothing is near. */
export function suggestion(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return near === undefined ? "" : `did you mean ${near}?`;
}

function fold(name: string): string {
  return name.slice(0, 80).toLowerCase();
}

/** The number of typing errors between two names; Infinity when they are not alike at all. */
function closeness(wanted: string, known: string): number {
  const allowed = Math.min(3, Math.floor(Math.max(wanted.length, known.length) / 3));
  const distance = editDistance(wanted, known);
  if (distance <= allowed) return distance;
  const part = wanted.length >= 4 && (known.startsWith(wanted) || known.endsWith(wanted));
  const whole = known.length >= 4 && (wanted.startsWith(known) || wanted.endsWith(known));
  return part || whole ? allowed + 1 : Infinity;
}

/** Damerau's distance with adjacent swaps (optimal string alignment), three rows at a time. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
