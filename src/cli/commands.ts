/** Each command by name. Loaded when called, so that one does not pay for the others' start. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["start", async (argv) => (await import("./start.ts")).start(argv)],
  ["validate", async (argv) => (await import("./validate.ts")).validate(argv, await terminal())],
  ["config", async (argv) => (await import("./config.ts")).config(argv, await terminal())],
  [
    "prove-privacy",
    async (argv) => (await import("./prove-privacy.ts")).provePrivacy(argv, await terminal()),
  ],
  ["bench", async (argv) => (await import("./bench/bench.ts")).bench(argv, await terminal())],
  ["bench-mock", async (argv) => (await import("./bench/roles.ts")).benchMock(argv)],
  ["bench-relay", async (argv) => (await import("./bench/roles.ts")).benchRelay(argv)],
  ["bench-load", async (argv) => (await import("./bench/roles.ts")).benchLoad(argv)],
]);
export type Command = (argv: readonly string[]) => Promise<number>;

async function terminal() {
  return (await import("./terminal.ts")).terminal;
}

export const HELP = `interlock: an LLM gateway in one file.

Usage: interlock [COMMAND] [OPTIONS]

Commands:
  start               Start the gateway. With no file it serves what it finds: provider keys in the
                      environment, engines answering on this machine, else a built-in demo.
  validate FILE       Check a configuration file; every error at once, each with its fix.
  config show         Print the configuration in effect, secrets redacted.
  config generate     Print a commented sample configuration.
  config validate     The same as validate.
  prove-privacy FILE  List every backend a private request can reach, and every side exit.
  bench               Measure this binary against a bare relay and any other gateway.

Options of start:
  -c, --config FILE     Configuration file (also INTERLOCK_CONFIG)
  -p, --port PORT       Port of the data listener [default: 8080; SERVER_PORT]
  -H, --host HOST       Address to bind [default: 127.0.0.1; SERVER_HOST]
      --metrics-port N  Port of the admin listener [default: 9090; METRICS_PORT]
      --log-level LEVEL error, warn, info or debug [default: info; INTERLOCK_LOG]

  -V, --version         Print the version
  -h, --help            Print this help
`;
