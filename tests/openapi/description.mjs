// GitHub's description of its API, cut down to what Tieline uses: the whole of it takes Prism half a minute to read.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const REPOSITORY = '/repos/{owner}/{repo}';

// Every route in use. A call to any other is a violation.
const ROUTES = {
  '/app/installations/{installation_id}/access_tokens': ['post'],
  [REPOSITORY]: ['get'],
  [`${REPOSITORY}/check-runs`]: ['post'],
  [`${REPOSITORY}/check-runs/{check_run_id}`]: ['get', 'patch'],
  [`${REPOSITORY}/check-runs/{check_run_id}/annotations`]: ['get'],
  [`${REPOSITORY}/commits/{ref}`]: ['get'],
  [`${REPOSITORY}/compare/{basehead}`]: ['get'],
  [`${REPOSITORY}/contents/{path}`]: ['get', 'put'],
  [`${REPOSITORY}/deployments`]: ['get', 'post'],
  [`${REPOSITORY}/deployments/{deployment_id}`]: ['get'],
  [`${REPOSITORY}/deployments/{deployment_id}/statuses`]: ['get', 'post'],
  [`${REPOSITORY}/git/blobs`]: ['post'],
  [`${REPOSITORY}/git/blobs/{file_sha}`]: ['get'],
  [`${REPOSITORY}/git/commits`]: ['post'],
  [`${REPOSITORY}/git/commits/{commit_sha}`]: ['get'],
  [`${REPOSITORY}/git/matching-refs/{ref}`]: ['get'],
  [`${REPOSITORY}/git/ref/{ref}`]: ['get'],
  [`${REPOSITORY}/git/refs`]: ['post'],
  [`${REPOSITORY}/git/refs/{ref}`]: ['patch', 'delete'],
  [`${REPOSITORY}/git/trees`]: ['post'],
  [`${REPOSITORY}/git/trees/{tree_sha}`]: ['get'],
  [`${REPOSITORY}/installation`]: ['get'],
  [`${REPOSITORY}/issues`]: ['get', 'post'],
  [`${REPOSITORY}/issues/{issue_number}`]: ['patch'],
  [`${REPOSITORY}/issues/comments/{comment_id}`]: ['get', 'patch', 'delete'],
  [`${REPOSITORY}/issues/{issue_number}/comments`]: ['get', 'post'],
  [`${REPOSITORY}/pulls`]: ['get', 'post'],
  [`${REPOSITORY}/pulls/{pull_number}`]: ['get'],
  [`${REPOSITORY}/collaborators/{username}/permission`]: ['get'],
};

/** The description of the routes in use, with what they refer to. */
export function description() {
  const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
  const whole = JSON.parse(readFileSync(file, 'utf8'));
  const slim = { openapi: whole.openapi, info: whole.info, servers: whole.servers, paths: {}, components: {} };
  for (const [path, methods] of Object.entries(ROUTES)) {
    const { parameters } = whole.paths[path];
    slim.paths[path] = { ...(parameters && { parameters }) };
    for (const method of methods) slim.paths[path][method] = whole.paths[path][method];
  }
  const wanted = references(slim.paths);
  for (const reference of wanted) {
    const [, , kind, name] = reference.split('/');
    slim.components[kind] ??= {};
    slim.components[kind][name] = whole.components[kind][name];
    allowNoAddress(slim.components[kind][name]);
    // A set may grow while it is gone through.
    for (const further of references(whole.components[kind][name])) wanted.add(further);
  }
  return slim;
}

// Where an address is "" unless somebody gives one, as the description itself says, it is not always an address.
function allowNoAddress(schema) {
  for (const property of Object.values(schema.properties ?? {})) {
    if (property.format === 'uri' && property.default === '') delete property.format;
  }
}

function references(part, found = new Set()) {
  if (part === null || typeof part !== 'object') return found;
  for (const [name, value] of Object.entries(part)) {
    if (name === '$ref' && typeof value === 'string') found.add(value);
    else references(value, found);
  }
  return found;
}
