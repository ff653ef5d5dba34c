import { availableParallelism } from 'node:os';

/** Tests run as native ES modules; types are checked once, by `check:types`, not by every test file. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  globalSetup: '<rootDir>/test/run-folder.js',
  // These tests have their own configurations.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/image/', '<rootDir>/test/soak/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/test/strip-types.js' },
  // Many tests wait for a program that they started. The workers occupy all cores, so V8's threads for garbage
  // collection would only compete with them: the script `jest` turns these off, which saves a quarter of the time with
  // large heaps.
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  // Starting a program from a large process is slow, because it begins with a copy of the page tables.
  workerIdleMemoryLimit: '250MB',
  // A worker ends on its own once nothing is left to do, but frees hundreds of megabytes before. On a busy machine that
  // takes longer than Jest's half a second, after which it reports an open handle that does not exist.
  workerGracefulExitTimeout: 10_000,
  // A test that starts a PostgreSQL server or synthesizes the app takes seconds, and more on a busy machine.
  testTimeout: 120_000,
  reporters: ['default', '<rootDir>/test/closing-line.js'],
};
