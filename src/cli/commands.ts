import { RUNNING_OPTIONS, START_OPTIONS } from "./help.ts";

/** Each command by name. Loaded when called, so that one does not pay for the others' start. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["start", start],
  ["reload", async (argv) => (await import("./reload.ts")).reload(argv, await terminal())],
  ["restart", async (argv) => (await import("./restart.ts")).restart(argv, await terminal())],
  ["status", async (argv) => (await import("./status.ts")).status(argv, await terminal())],
  ["worker", async () => (await import("./worker.ts")).worker()],
  ["ledger-writer", async (argv) => (await import("./ledger-writer.ts")).ledgerWriter(argv)],
  ["succeed", async (argv) => (await import("./start.ts")).succeed(argv)],
  ["clock", async (argv) => (await import("./clock.ts")).clock(argv, await terminal())],
  ["validate", async (argv) => (await import("./validate.ts")).validate(argv, await terminal())],
  ["config", async (argv) => (await import("./config.ts")).config(argv, await terminal())],
  [
    "prove-privacy",
    async (argv) => (await import("./prove-privacy.ts")).provePrivacy(argv, await terminal()),
  ],
  ["key", async (argv) => (await import("./key.ts")).key(argv, await terminal(), await place())],
  [
    "cost",
    async (argv) => (await import("./cost.ts")).cost(argv, await terminal(), await ledger()),
  ],
  [
    "token-usage",
    async (argv) =>
      (await import("./token-usage.ts")).tokenUsage(argv, await terminal(), await ledger()),
  ],
  [
    "latency",
    async (argv) => (await import("./latency.ts")).latency(argv, await terminal(), await ledger()),
  ],
  [
    "reconcile",
    async (argv) =>
      (await import("./reconcile.ts")).reconcile(argv, await terminal(), await ledger()),
  ],
  [
    "migrate",
    async (argv) => (await import("./migrate.ts")).migrate(argv, await terminal(), await ledger()),
  ],
  [
    "audit",
    async (argv) => (await import("./audit.ts")).audit(argv, await terminal(), await statePlace()),
  ],
  ["bench", async (argv) => (await import("./bench/bench.ts")).bench(argv, await terminal())],
  ["bench-mock", async (argv) => (await import("./bench/roles.ts")).benchMock(argv)],
  ["bench-relay", async (argv) => (await import("./bench/roles.ts")).benchRelay(argv)],
  ["bench-load", async (argv) => (await import("./bench/roles.ts")).benchLoad(argv)],
]);
export type Command = (argv: readonly string[]) => Promise<number>;

/** What must start itself again does so before it has loaded what serves, which takes longer. */
async function start(argv: readonly string[]): Promise<number> {
  const { mustReexec, reexec } = await import("./reexec.ts");
  if (mustReexec(process.env)) reexec(process.env);
  return (await import("./start.ts")).start(argv);
}

async function terminal() {
  return (await import("./terminal.ts")).terminal;
}

async function place() {
  return (await import("./place.ts")).keyPlace();
}
async function statePlace() {
  return (await import("./place.ts")).statePlace();
}
async function ledger() {
  return (await import("./place.ts")).ledgerPlace();
}

export const HELP = `interlock: an LLM gateway in one file.

Usage: interlock [COMMAND] [OPTIONS]

Commands:
  start               Start the gateway. With no file it serves what it finds: provider keys in the
                      environment, engines answering on this machine, else a built-in demo.
  reload              Make the running gateway read its configuration again. A bad file changes
                      nothing, and is told why. (So does the signal HUP.)
  restart             Replace the running gateway by a new process, losing no request.
  status              Show the running gateways and their workers.
  clock [accept]      Say whether the wall clock jumped, and budgets and keys end without it; accept
                      says that it is right.
  validate FILE       Check a configuration file; every error at once, each with its fix.
  config show         Print the configuration in effect, secrets redacted.
  config generate     Print a commented sample configuration.
  config validate     The same as validate.
  prove-privacy FILE  List every backend a private request can reach, and every side exit.
  key                 Make, list, end and renew the keys that callers show.
  cost, token-usage, latency
                      What requests cost, used and took, from the ledger.
  reconcile           Compare the ledger with a provider's own export.
  migrate             Run, revert and show the migrations of the state.
  audit               List every administrative change, and verify that none was tampered with.
  bench               Measure this binary against a bare relay and any other gateway.

Options of start:
${START_OPTIONS}
Options of reload, restart and status:
${RUNNING_OPTIONS}
  -V, --version         Print the version
  -h, --help            Print this help
`;
