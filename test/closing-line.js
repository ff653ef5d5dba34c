import { appendFileSync } from 'node:fs';
import process from 'node:process';

/**
 * Jest reporter that closes the output with `N passed, N failed`, for whoever reads the last line alone. A file that
 * could not be run counts as a failure. Where TEST_TALLY names a file, the two numbers are added to it instead, for
 * whoever sums up several runs.
 */
export default class ClosingLine {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    // Jest prints its own summary after all other reporters are done.
    process.on('exit', () => {
      if (process.env.TEST_TALLY === undefined) {
        process.stderr.write(`\n${numPassedTests} passed, ${failed} failed\n`);
      } else {
        appendFileSync(process.env.TEST_TALLY, `${numPassedTests} ${failed}\n`);
      }
    });
  }
}
