/** What `interlock start` takes. */
export const START_OPTIONS = `\
  -c, --config FILE     Configuration file (also INTERLOCK_CONFIG)
  -p, --port PORT       Port of the data listener [default: 8080; SERVER_PORT]
  -H, --host HOST       Address to bind [default: 127.0.0.1; SERVER_HOST]
      --metrics-port N  Port of the admin listener, or off [default: 9090; METRICS_PORT]
      --workers N|auto  Processes that serve, auto for one a core [default: 1; INTERLOCK_WORKERS]
      --log-level LEVEL error, warn, info or debug [default: info; INTERLOCK_LOG]
`;

/** What the commands take that talk to a running gateway. */
const CONTROL_OPTIONS = `\
  -p, --port PORT       The data port of the one meant, where several run
      --state-dir DIR   Where it keeps its state [INTERLOCK_STATE_DIR]
      --json            Print the answer as JSON
`;
const BINARY_OPTION = `\
      --binary FILE     The program to restart as [default: this one]
`;
/** The same, of all of them at once. */
export const RUNNING_OPTIONS = CONTROL_OPTIONS + BINARY_OPTION;

const VALIDATE = `Usage: interlock validate FILE [OPTIONS]

Checks a configuration file: every error at once, each with its fix, then warnings, then what is
not active yet. Exits with 1 when the file cannot be used.

  -c, --config FILE     The file, named as for start (also INTERLOCK_CONFIG)
      --strict          Warnings fail too
      --json            Print the answer as JSON
`;

/** Help of the commands that have none of their own, by their words. */
const HELP_OF: ReadonlyMap<string, string> = new Map([
  [
    "start",
    `Usage: interlock start [OPTIONS]

Starts the gateway. With no file it serves what it finds: provider keys in the environment, engines
answering on this machine, else a built-in demo.

${START_OPTIONS}`,
  ],
  [
    "reload",
    `Usage: interlock reload [OPTIONS]

Makes the running gateway read its configuration again. A bad file changes nothing, and is told why.

${CONTROL_OPTIONS}`,
  ],
  [
    "restart",
    `Usage: interlock restart [OPTIONS]

Replaces the running gateway by a new process, losing no request.

${RUNNING_OPTIONS}`,
  ],
  [
    "status",
    `Usage: interlock status [OPTIONS]

Shows the running gateways and their workers. Exits with 1 when none is running.

${CONTROL_OPTIONS}`,
  ],
  [
    "clock",
    `Usage: interlock clock [accept]

Says whether the wall clock jumped: budgets and keys end without it until it comes back, or until
accept says that it is right.
`,
  ],
  ["validate", VALIDATE],
  ["config validate", VALIDATE],
  [
    "config",
    `Usage: interlock config show | generate | validate FILE

  show                  Print the configuration in effect, secrets redacted
  generate              Print a commented sample configuration
  validate FILE         The same as interlock validate
`,
  ],
  [
    "config show",
    `Usage: interlock config show [-c FILE] [--json]

Prints the configuration in effect, secrets redacted, and where each value comes from.
`,
  ],
  [
    "config generate",
    `Usage: interlock config generate

Prints a commented sample configuration; send it to a file.
`,
  ],
  [
    "prove-privacy",
    `Usage: interlock prove-privacy FILE [--json]

Lists every backend a private request can reach, and every side exit. Exits with 1 when private keys
may use a name that no local backend serves.
`,
  ],
]);

/** The help that is asked for; undefined when none is, or the command tells its own. */
export function helpFor(name: string, argv: readonly string[]): string | undefined {
  if (!argv.includes("--help") && !argv.includes("-h")) return undefined;
  return HELP_OF.get(`${name} ${argv[0]}`) ?? HELP_OF.get(name);
}
