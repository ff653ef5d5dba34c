import common from '../../jest.config.js';

/** Long simulations, among them one of a new seed: they take about two minutes on two idle cores. */
export default {
  ...common,
  rootDir: '../..',
  roots: ['<rootDir>/test/soak'],
  testPathIgnorePatterns: ['/node_modules/'],
  // A simulation uses all cores itself.
  maxWorkers: 1,
  testTimeout: 600_000,
};
