import { version } from "./package.json";

// Bun strips types without reading them: without this check a private request to an external
// backend compiles, links and runs.
const check = [process.execPath, "check", "--no-script", "--no-pretty"];
const types = Bun.spawnSync(check, { stdio: ["ignore", "inherit", "inherit"] });
if (!types.success) process.exit(1);

const result = await Bun.build({
  entrypoints: ["src/main.ts"],
  compile: {
    outfile: "dist/interlock",
    autoloadDotenv: false, // A .env in the working directory is not configuration.
    autoloadBunfig: false, // A bunfig.toml there could name code to preload.
    execArgv: ["--disallow-code-generation-from-strings=strict", "--max-http-header-size=16384"],
  },
  bytecode: true,
  format: "esm",
  minify: { whitespace: true, syntax: true, identifiers: false }, // Names stay in stack traces.
  define: { BUILD_VERSION: JSON.stringify(version) },
});
for (const output of result.outputs) console.log(output.path);
if (!result.success) process.exit(1);
