import type { Ms } from "../core/units.ts";
import type { LogFields, LogLevel } from "./runtime.ts";

/** One line before it is text. */
export interface LogEntry {
  readonly wall: Ms;
  readonly level: LogLevel;
  readonly target: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** How lines look: for machines, or for a person at a terminal. */
export type LogFormat = "json" | "pretty";

/** The level's spelling in a line, as in the log sample users know: features.md c-M2. */
const SPELLED: Readonly<Record<LogLevel, string>> = {
  debug: "DEBUG",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
};

/**
 * Characters that steer a terminal or a viewer rather than show: C0 and C1 controls, line
 * separators, and the marks that reorder text.
 */
const STEERING = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Printable ASCII that stands for itself in a JSON string. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** One line of JSON, without the line feed. Written by hand: it is most of what a line costs. */
export function jsonLine({ wall, level, target, message, fields }: LogEntry): string {
  let text = `{"timestamp":"${timestampOf(wall)}","level":"${SPELLED[level]}"`;
  text += `,"target":${quoted(target)},"message":${quoted(message)}`;
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) text += `,"${name}":${literal(value)}`;
  }
  return `${text}}`;
}

function literal(value: NonNullable<LogFields[string]>): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "object") return JSON.stringify(value);
  return typeof value === "number" && !Number.isFinite(value) ? "null" : `${value}`;
}

/** Escapes where a character needs it, which is almost never. */
function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : escapeSteering(JSON.stringify(text));
}

let lastWall: Ms = Number.NaN;
let lastTimestamp = "";

/** Many lines fall into one millisecond under load, and formatting it costs as much as the rest. */
function timestampOf(wall: Ms): string {
  const whole = Math.floor(wall);
  if (whole !== lastWall) {
    lastWall = whole;
    lastTimestamp = new Date(whole).toISOString();
  }
  return lastTimestamp;
}

/** One line for people: time, level, message, then the fields that have a value. */
export function prettyLine({ wall, level, target, message, fields }: LogEntry): string {
  const time = new Date(wall).toISOString().slice(11, 23);
  let text = `${time} ${SPELLED[level].padEnd(5)} ${target}: ${escapeSteering(message)}`;
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value === undefined) continue;
    if (typeof value !== "object") text += ` ${name}=${prettyValue(value)}`;
    else for (const [part, count] of Object.entries(value)) text += ` ${name}.${part}=${count}`;
  }
  return text;
}

function prettyValue(value: string | number | boolean): string {
  const text = String(value);
  return escapeSteering(/[ "=]/.test(text) || text === "" ? JSON.stringify(text) : text);
}

function escapeSteering(text: string): string {
  return text.replace(STEERING, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
