import process from 'node:process';

/**
 * Jest reporter that closes the output with `N passed, N failed`, for whoever reads the last line alone. A file that
 * could not be run counts as a failure.
 */
export default class ClosingLine {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
    // Jest prints its own summary after all other reporters are done.
    process.on('exit', () => {
      process.stderr.write(`\n${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed\n`);
    });
  }
}
