import { appendFileSync } from 'node:fs';
import process from 'node:process';

/**
 * Jest reporter that ends the output with `N passed, N failed`, for tools that read only the last line. A file that
 * could not run counts as a failure. If TEST_TALLY names a file, the numbers are appended there instead, so that runs
 * can be added up.
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
