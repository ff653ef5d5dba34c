import process from 'node:process';
import common from '../../jest.config.js';

// The workers inherit it.
process.env.TEST_SWEEP ??= process.env.CI === undefined ? 'all' : 'another sample';

/** Long simulations, among them one of a new seed, and all cases of the sweeps of which `test` takes a sample. */
export default {
  ...common,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/soak/**/*.test.ts', '<rootDir>/test/**/*.sweep.integration.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // A simulation uses all cores itself, a sweep one.
  maxWorkers: 2,
  testTimeout: 600_000,
};
