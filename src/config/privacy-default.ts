import type { PrivacyConfig } from "./config.ts";
import type { Findings } from "./findings.ts";
import { namesLocal } from "./providers.ts";
import type { FileConfig } from "./schema.ts";

/**
 * The class of a request that nothing marks. A file that names a machine of the operator's own
 * means its prompts to stay there, unless it says otherwise.
 */
export function readPrivacyDefault(file: FileConfig, findings: Findings): PrivacyConfig {
  const given = file.privacy?.default;
  if (given !== undefined) return { default: given, why: "privacy.default says so" };
  const local = Object.entries(file.providers ?? {}).find(([name, entry]) =>
    namesLocal(name, entry ?? {}),
  );
  findings.origins.set("privacy.default", "default");
  if (local === undefined) {
    return { default: "shareable", why: "the file names no local backend" };
  }
  return { default: "private", why: `the file names a local backend, ${local[0]}` };
}
