import { expect, test } from "bun:test";
import { Children } from "../../../src/cli/bench/children.ts";

const FREE = { core: undefined, variables: [] };
const ECHO = ["sh", "-c", 'echo "{}"; while read -r line; do echo "$line"; done'];
const STUBBORN = ["sh", "-c", 'trap "" TERM; echo "{}"; while read -r line; do :; done; sleep 60'];

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // No such process.
  }
}

test("a child answers lines in the order they were asked", async () => {
  const children = new Children();
  const child = await children.talk(ECHO, FREE);
  expect(await child.ask({ n: 1 })).toEqual({ n: 1 });
  expect(await child.ask({ n: 2 })).toEqual({ n: 2 });
  await children.endAll();
});

test("none is left at the end, not even one that ignores being asked", async () => {
  const children = new Children();
  const all = await Promise.all([children.talk(ECHO, FREE), children.talk(STUBBORN, FREE)]);
  const watched = children.watch(["sleep", "60"], FREE);
  const pids = [...all.map(({ pid }) => pid), watched.pid];
  expect(pids.every(runs)).toBe(true);
  await children.endAll();
  expect(pids.some(runs)).toBe(false);
});

test("who waits for a child that ends is told, in the child's own words", async () => {
  const children = new Children();
  const dying = ["sh", "-c", 'echo "{}"; read -r line; echo "out of paper" >&2; exit 3'];
  const child = await children.talk(dying, FREE);
  expect(child.ask({})).rejects.toThrow(/ended/);
  expect(await child.exited).toBe(3);
  while (child.errors() === "") await Bun.sleep(1);
  expect(child.errors()).toBe("out of paper");
});

test("once all were ended no other is started", async () => {
  const children = new Children();
  await children.endAll();
  expect(() => children.watch(["sleep", "60"], FREE)).toThrow();
  expect(children.talk(ECHO, FREE)).rejects.toThrow();
});

test("the environment's proxies do not reach a child, and added variables do", async () => {
  const children = new Children();
  const names = "http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY".split(" ");
  const kept = new Map(names.map((name) => [name, process.env[name]]));
  for (const name of names) process.env[name] = "http://192.0.2.1:9";
  try {
    const script = 'echo "{\\"proxies\\":\\"$http_proxy$HTTP_PROXY$ALL_PROXY\\",\\"x\\":\\"$X\\"}"';
    const child = await children.talk(["sh", "-c", script], {
      core: undefined,
      variables: ["X=y"],
    });
    expect(child.hello).toEqual({ proxies: "", x: "y" });
  } finally {
    for (const [name, value] of kept) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await children.endAll();
  }
});
