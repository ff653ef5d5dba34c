import { stripTypeScriptTypes } from 'node:module';

/**
 * Jest transform that removes types as Node.js does when it runs the programs. A TypeScript compiler in each of jest's
 * processes would make them large, and starting programs from a large process is slow: it takes a copy of its page
 * tables.
 */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
};
