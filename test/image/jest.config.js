import common from '../../jest.config.js';

/** The tests that build and run the image: they take minutes, and something to build it with. */
export default {
  ...common,
  rootDir: '../..',
  roots: ['<rootDir>/test/image'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/test/image/setup.ts',
  testTimeout: 1_800_000,
};
