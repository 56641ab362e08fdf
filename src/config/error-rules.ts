import type { ErrorMeaning, ErrorRule } from "../core/error-rule.ts";
import { type Findings, finding } from "./findings.ts";
import type { FileProvider } from "./schema.ts";

/** Three digits that can be a status are one, besides being a code. */
const STATUS = /^[45]\d\d$/;

/** Rules of a mapping `code: meaning`: codes are asked first, then types, then the status. */
export function rulesOfMap(map: Readonly<Record<string, ErrorMeaning>>): readonly ErrorRule[] {
  const entries = Object.entries(map).map(([word, means]) => [word.toLowerCase(), means] as const);
  return [
    ...entries.map(([code, means]) => ({ code, means })),
    ...entries.map(([type, means]) => ({ type, means })),
    ...entries
      .filter(([word]) => STATUS.test(word))
      .map(([status, means]) => ({ status: Number(status), means })),
  ];
}

/** What a provider's entry says its errors mean: the finer rules first, in their order. */
export function readErrorRules(
  name: string,
  { error_rules, error_map }: NonNullable<FileProvider>,
  findings: Findings,
): readonly ErrorRule[] {
  const rules: ErrorRule[] = [];
  for (const [at, rule] of (error_rules ?? []).entries()) {
    if (rule === undefined) continue;
    const path = ["providers", name, "error_rules", at];
    const { status, code, type, message, means } = rule;
    if (means === undefined) {
      const fix = "add means: billing, or another of the meanings";
      findings.errors.push(
        finding([...path, "means"], "does not say what such an error means", fix),
      );
    } else if ((status ?? code ?? type ?? message) === undefined) {
      const fix = "give one of status, code, type, message";
      findings.errors.push(finding([...path, "status"], "would hold for every error", fix));
    } else {
      rules.push({
        ...{ status, means, code: code?.toLowerCase() },
        ...{ type: type?.toLowerCase(), message: message?.toLowerCase() },
      });
    }
  }
  const map: Record<string, ErrorMeaning> = Object.create(null) as Record<string, ErrorMeaning>;
  for (const [word, means] of Object.entries(error_map ?? {})) {
    if (means !== undefined) map[word] = means;
  }
  return [...rules, ...rulesOfMap(map)];
}
