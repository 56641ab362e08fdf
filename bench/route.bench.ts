import { bench, do_not_optimize, group } from "mitata";
import { decide } from "../src/router/decide.ts";
import { systemRandom } from "../src/runtime/random.ts";
import { companyRoutes, targetOf } from "./inputs.ts";

// From a model's name to the backends in the order they will be tried.
const routes = companyRoutes();
const CASES = [
  ["a model", "m0"],
  ["a pool of 3", "three"],
  ["a pool of 30", "thirty"],
  ["a rule", "gpt-4o"],
] as const;

for (const [what, model] of CASES) {
  const target = targetOf(routes, model);
  const question = { model, dialect: "openai", operation: "chat" } as const;
  group(`route, ${what}`, () => {
    bench("find the target", () => do_not_optimize(targetOf(routes, model)));
    bench("decide, private", () => do_not_optimize(decide(target.private, question, systemRandom)));
    bench("decide, shareable", () => {
      do_not_optimize(decide(target.shareable, question, systemRandom));
    });
  });
}
