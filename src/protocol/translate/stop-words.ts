/** Finds the first of several strings in a text that comes in pieces: Aho and Corasick, 1975. */
export interface StopWords {
  readonly root: StopNode;
}

/** Where a search stands: the longest end of the text so far that begins some word. */
export interface StopNode {
  readonly next: Map<number, StopNode>;
  /** How much of the text's end that is, in UTF-16 units. */
  readonly depth: number;
  /** The longest word that ends here. */
  readonly word: string | undefined;
  /** The next shorter end that begins a word; the root has none. */
  readonly fallback: StopNode | undefined;
}

interface Growing extends StopNode {
  next: Map<number, Growing>;
  word: string | undefined;
  fallback: Growing | undefined;
}

/** Empty words are left out: they would end every text before it began. */
export function stopWords(words: readonly string[]): StopWords {
  const root = node(0);
  for (const word of words) {
    let at = root;
    for (let index = 0; index < word.length; index++) {
      const unit = word.charCodeAt(index);
      let to = at.next.get(unit);
      if (to === undefined) at.next.set(unit, (to = node(at.depth + 1)));
      at = to;
    }
    if (at !== root) at.word = word;
  }
  link(root);
  return { root };
}

/** Where the search stands after one more UTF-16 unit. */
export function stepWords({ root }: StopWords, from: StopNode, unit: number): StopNode {
  for (let at: StopNode | undefined = from; at !== undefined; at = at.fallback) {
    const to = at.next.get(unit);
    if (to !== undefined) return to;
  }
  return root;
}

/** Breadth first, so that a node's fallback is done before it. */
function link(root: Growing): void {
  const queue: Growing[] = [root];
  for (let index = 0; index < queue.length; index++) {
    const from = queue[index]!;
    for (const [unit, to] of from.next) {
      let at = from.fallback;
      while (at !== undefined && !at.next.has(unit)) at = at.fallback;
      to.fallback = at?.next.get(unit) ?? root;
      to.word ??= to.fallback.word;
      queue.push(to);
    }
  }
}

function node(depth: number): Growing {
  return { next: new Map(), depth, word: undefined, fallback: undefined };
}
