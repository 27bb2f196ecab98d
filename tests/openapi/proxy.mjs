// Stands before a GitHub and holds requests and answers to GitHub's own description of its API: `node proxy.mjs <its URL>`.
//
// Prints its address when it is ready, and ends with its standard input. What breaks the description is said in the header
// `sl-violations` of the answer, which is otherwise passed on as it is.

import { createLogger } from '@stoplight/prism-core';
import { getHttpOperationsFromSpec } from '@stoplight/prism-http';
import { createServer } from '@stoplight/prism-http-server';
import { description } from './description.mjs';

const operations = await getHttpOperationsFromSpec(description());
const server = createServer(operations, {
  cors: false,
  components: { logger: createLogger('proxy', { level: 'silent' }) },
  config: {
    isProxy: true,
    upstream: new URL(process.argv[2]),
    checkSecurity: false,
    validateRequest: true,
    validateResponse: true,
    errors: false,
    mock: { dynamic: false },
    upstreamProxy: undefined,
  },
});
console.log(await server.listen(0, '127.0.0.1'));
process.stdin.on('end', () => process.exit()).resume();
