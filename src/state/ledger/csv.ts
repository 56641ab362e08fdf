/** What a spreadsheet would take for a formula is opened with a quote (OWASP, "CSV Injection"). */
const FORMULA = /^[=+@\t\r]|^-(?!\d)/;

/** Rows as RFC 4180 has them. */
export function writeCsv(rows: readonly (readonly (string | number | bigint)[])[]): string {
  return rows.map((row) => `${row.map(cellText).join(",")}\n`).join("");
}

function cellText(value: string | number | bigint): string {
  if (typeof value !== "string") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Reads what spreadsheets and consoles export: commas, semicolons or tabs, quotes, a byte order
 * mark. Never fails: a broken quote runs to the end of its cell.
 */
export function readCsv(text: string): readonly (readonly string[])[] {
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  const separator = separatorOf(body);
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const endRow = (): void => {
    row.push(cell);
    if (row.some((each) => each !== "")) rows.push(row);
    row = [];
    cell = "";
  };
  for (let at = 0; at < body.length; at++) {
    const char = body[at]!;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (body[at + 1] === '"') cell += body[++at];
      else quoted = false;
    } else if (char === '"' && cell === "") {
      quoted = true;
    } else if (char === separator) {
      row.push(cell);
      cell = "";
    } else if (char === "\n") {
      endRow();
    } else if (char !== "\r") {
      cell += char;
    }
  }
  endRow();
  return rows;
}

/** Whichever of the three stands most often in the first line. */
function separatorOf(text: string): string {
  const [line = ""] = text.split("\n", 1);
  const count = (char: string): number => line.split(char).length;
  return [",", ";", "\t"].reduce((most, char) => (count(char) > count(most) ? char : most));
}
