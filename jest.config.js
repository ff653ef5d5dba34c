/** Tests run as native ES modules; types are checked once, by `build`, not by every test file. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, diagnostics: false }] },
  // A suite that starts a PostgreSQL server of its own takes seconds before its first test.
  testTimeout: 60_000,
};
