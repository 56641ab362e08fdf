import { systemClock } from "../runtime/clock.ts";
import { sinceBoot } from "../runtime/machine-clock.ts";
import { systemRandom } from "../runtime/random.ts";
import type { Slab } from "../state/slab/slab.ts";
import { WallGuard } from "../state/slab/wall-guard.ts";
import { stateDirectory } from "./fleet/state-directory.ts";
import { EXIT, type Io } from "./io.ts";
import { mapSlab, slabPorts } from "./shared-slab.ts";

const USAGE = "Usage: interlock clock [accept]\n";

/** `interlock clock`: whether the wall clock jumped. `accept`: it is right, and counts again. */
export async function clock(argv: readonly string[], io: Io): Promise<number> {
  const [verb, ...rest] = argv;
  if ((verb !== undefined && verb !== "accept") || rest.length > 0) {
    io.stderr(USAGE);
    return EXIT.usage;
  }
  const directory = stateDirectory(io.env);
  const ports = directory === undefined ? [] : slabPorts(directory);
  if (directory === undefined || ports.length === 0) {
    io.stdout("No gateway counts limits here.\n");
    return EXIT.ok;
  }
  let code: number = EXIT.ok;
  for (const port of ports) {
    const slab = mapSlab({ directory, port }, systemRandom);
    const said = "problem" in slab ? slab.problem : judged(slab, verb === "accept");
    if ("problem" in slab) code = EXIT.failed;
    io.stdout(`port ${port}: ${said}\n`);
  }
  return code;
}

function judged(slab: Slab, accepts: boolean): string {
  let jumpMs: number | undefined;
  const clocks = { wall: () => systemClock.wall(), now: () => systemClock.now(), boot: sinceBoot };
  const guard = new WallGuard(slab, clocks, (jump) => {
    jumpMs = jump;
  });
  if (jumpMs === undefined) return "budgets and keys end by the wall clock";
  const jumped = `the wall clock jumped by ${Math.round(jumpMs / 1000)} s`;
  if (!accepts) return `${jumped}: budgets and keys end without it; if it is right, accept it`;
  guard.accept();
  return `${jumped}: accepted`;
}
