import common from '../../jest.config.js';

/** The tests that build and run the image, which take minutes and require a builder. */
export default {
  ...common,
  rootDir: '../..',
  roots: ['<rootDir>/test/image'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/test/image/setup.ts',
  testTimeout: 1_800_000,
};
