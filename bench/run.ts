// Runs the micro benches: `bun bench/run.ts [FILE…] [--json]`, FILE being a part of a bench's name.
// What they measure and how to read it: README.md beside this file.
import { run } from "mitata";

const argv = process.argv.slice(2);
const wanted = argv.filter((argument) => !argument.startsWith("-"));
const files = [...new Bun.Glob("*.bench.ts").scanSync(import.meta.dir)]
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no bench is called ${wanted.join(" or ")}`);
  process.exit(2);
}
for (const file of files) await import(`./${file}`);
await run({ throw: true, ...(argv.includes("--json") && { format: "json" }) });
