import type { Ms } from "../../core/units.ts";
import { requestBytes } from "./caller.ts";
import type { Endpoint } from "./caller.ts";
import type { Children, TalkingChild } from "./children.ts";
import { exchange, refusalOf } from "./exchange.ts";
import { directEndpoint, prepareInterlock, prepareRelay, untilLive } from "./gateway.ts";
import type { Launch, LaunchSetting } from "./gateway.ts";
import type { Cores } from "./machine.ts";
import type { BenchOptions, TargetOption } from "./options.ts";
import { selfCommand } from "./self.ts";
import { judge } from "./verdict.ts";

const PREFLIGHT_MS: Ms = 10_000;

/** Something that answers the bench's requests. */
export interface Contender {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Its process; undefined when there is none of its own, or nobody said. */
  readonly pid: number | undefined;
}

/** A contender that was left out, and what it said. */
export interface Refused {
  readonly name: string;
  readonly why: string;
}

export interface Stage {
  readonly mock: TalkingChild;
  readonly load: TalkingChild;
  readonly contenders: readonly Contender[];
  readonly refused: readonly Refused[];
  /** For cold starts and for whatever else needs a fresh one. */
  readonly setting: LaunchSetting;
}

export interface StageSetting {
  readonly options: BenchOptions;
  readonly children: Children;
  readonly home: string;
  readonly cores: Cores | undefined;
}

/** Starts everybody. Who does not come up or does not answer rightly is left out by name. */
export async function setStage({ options, children, home, cores }: StageSetting): Promise<Stage> {
  const self = selfCommand();
  const port = String(options.mockPort);
  const [mock, load] = await Promise.all([
    children.talk([...self, "bench-mock", "--attached", "--port", port], {
      core: cores?.mock,
      variables: [],
    }),
    children.talk([...self, "bench-load"], { core: cores?.load, variables: [] }),
  ]);
  const { port: mockPort } = mock.hello as { readonly port: number };
  const setting = { children, home, mockPort, core: cores?.gateway };
  const candidates = [
    { name: "direct", endpoint: directEndpoint(mockPort), pid: undefined },
    await come("relay", prepareRelay(setting), "/v1/models"),
    await come("interlock", await prepareInterlock(setting), "/livez"),
    ...options.targets.map(targetContender),
  ];
  const contenders: Contender[] = [];
  const refused: Refused[] = [];
  for (const candidate of candidates) {
    const why = "why" in candidate ? candidate.why : await preflight(candidate.endpoint);
    if (why === undefined && "endpoint" in candidate) contenders.push(candidate);
    else refused.push({ name: candidate.name, why: why ?? "" });
  }
  return { mock, load, contenders, refused, setting };
}

async function come(name: string, launch: Launch, path: string): Promise<Contender | Refused> {
  const child = launch.start();
  const why = await untilLive(child, launch.endpoint, path);
  return why === undefined ? { name, endpoint: launch.endpoint, pid: child.pid } : { name, why };
}

function targetContender({ name, url, key, model, pid }: TargetOption): Contender {
  const endpoint = {
    host: url.hostname,
    port: Number(url.port || "80"),
    base: url.pathname.replace(/\/$/, ""),
    key,
    model,
  };
  return { name, endpoint, pid };
}

/** One buffered and one streamed answer before any figure; undefined when both are right. */
async function preflight(endpoint: Endpoint): Promise<string | undefined> {
  for (const kind of ["buffered", "streamed"] as const) {
    const request = requestBytes({ endpoint, kind, pace: undefined });
    const reply = await exchange(endpoint, request, { timeoutMs: PREFLIGHT_MS });
    if (reply.status !== 200) return `${kind}: ${refusalOf(reply)}`;
    if (judge(kind, Buffer.from(reply.body)) === "wrong")
      return `${kind}, wrong ${refusalOf(reply)}`;
  }
  return undefined;
}
