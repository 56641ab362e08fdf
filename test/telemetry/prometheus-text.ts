/** One sample as a scraper reads it. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}
/** A metric family as a scraper reads it. */
export interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ParsedSample[];
}

/**
 * Reads Prometheus text format 0.0.4 character by character, after its specification and not after
 * our writer. @throws on anything the format does not allow.
 */
export function parsePrometheus(text: string): ReadonlyMap<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily & { samples: ParsedSample[] }>();
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line must end in a line feed");
  let current: (ParsedFamily & { samples: ParsedSample[] }) | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of text.split("\n").slice(0, -1)) {
    if (line.startsWith("# HELP ")) {
      const [name = "", ...rest] = line.slice(7).split(" ");
      help = { name, text: unescapeHelp(rest.join(" ")) };
    } else if (line.startsWith("# TYPE ")) {
      const [name = "", type = ""] = line.slice(7).split(" ");
      if (help?.name !== name) throw new Error(`TYPE of ${name} without its HELP before`);
      if (families.has(name)) throw new Error(`family ${name} twice`);
      current = { name, type, help: help.text, samples: [] };
      families.set(name, current);
    } else {
      const sample = parseSample(line);
      if (!current || !belongs(sample.name, current)) throw new Error(`stray sample: ${line}`);
      current.samples.push(sample);
    }
  }
  return families;
}

function belongs(sample: string, { name, type }: ParsedFamily): boolean {
  if (type !== "histogram") return sample === name;
  return ["_bucket", "_sum", "_count"].some((suffix) => sample === name + suffix);
}

function unescapeHelp(text: string): string {
  return text.replace(/\\(.)/g, (_, c: string) => {
    if (c === "n") return "\n";
    if (c === "\\") return "\\";
    throw new Error(`unknown escape in help: \\${c}`);
  });
}

function parseSample(line: string): ParsedSample {
  const head = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (head === undefined) throw new Error(`no metric name: ${line}`);
  const labels = new Map<string, string>();
  let at = head.length;
  if (line[at] === "{") {
    at++;
    while (line[at] !== "}") {
      const name = /^[a-zA-Z_][a-zA-Z0-9_]*(?==")/.exec(line.slice(at))?.[0];
      if (name === undefined) throw new Error(`no label name at ${at}: ${line}`);
      at += name.length + 2;
      let value = "";
      for (; line[at] !== '"'; at++) {
        if (at >= line.length) throw new Error(`label value does not end: ${line}`);
        if (line[at] !== "\\") value += line[at];
        else value += unescapeLabel(line[++at]);
      }
      if (labels.has(name)) throw new Error(`label ${name} twice: ${line}`);
      labels.set(name, value);
      at++;
      if (line[at] === ",") at++;
      else if (line[at] !== "}") throw new Error(`junk between labels: ${line}`);
    }
    at++;
  }
  const number = /^ ([-+]Inf|NaN|[-+0-9.eE]+)$/.exec(line.slice(at))?.[1];
  if (number === undefined) throw new Error(`no value: ${line}`);
  return { name: head, labels, value: Number(number.replace("Inf", "Infinity")) };
}

function unescapeLabel(c: string | undefined): string {
  if (c === "n") return "\n";
  if (c === "\\" || c === '"') return c;
  throw new Error(`unknown escape in a label: \\${c}`);
}
