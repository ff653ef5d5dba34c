import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { Reporter } from '../../local/report.ts';
import { Watcher } from '../../local/watcher.ts';

/** Observes a failed attempt of each of the jobs, with its last line. */
function errorsOf(...attempts: readonly (readonly [name: string, line: string])[]): string {
  const watcher = new Watcher(new Reporter(new PassThrough().resume()));
  for (const [name, line] of attempts) {
    watcher.observe({ kind: 'job output', stream: 'stderr', line });
    watcher.observe({ kind: 'job ended', name, exitCode: 77, retried: false });
  }
  return watcher.jobErrors;
}

test('different errors of earlier attempts are named after that of the last one', () => {
  expect(errorsOf(['run-1', 'a'], ['run-1', 'b'], ['run-1', 'a'], ['run-1', 'c'])).toBe(
    'c\nAn earlier attempt: a\nAn earlier attempt: b',
  );
});

test('the error of a check is no earlier attempt of the dump', () => {
  expect(errorsOf(['check-1', 'a'], ['run-1', 'b'])).toBe('b');
});
