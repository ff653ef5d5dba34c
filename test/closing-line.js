/**
 * Jest reporter that closes the output with `N passed, N failed`, for whoever reads the last line alone. A file that
 * could not be run counts as a failure.
 */
export default class ClosingLine {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
    process.stdout.write(`${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed\n`);
  }
}
