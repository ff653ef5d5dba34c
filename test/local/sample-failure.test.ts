import { expect, test } from '@jest/globals';
import { sampleFailure } from '../../local/sample-failure.ts';

const DID_NOT_START = 'The PostgreSQL server did not start. The end of its log: FATAL:  ';

test.each([
  ['initdb could not create /tmp/x/data: could not write to file "pg_wal/1": No space left on device.', true],
  ['ENOSPC: no space left on device, mkdir', true],
  ['EDQUOT: disk quota exceeded, write', true],
  ["EACCES: permission denied, mkdtemp '/tmp/autodump-sample-'", true],
  ["EROFS: read-only file system, mkdtemp '/tmp/autodump-sample-'", true],
  ['could not extend file "base/5/16384": No space left on device', true],
  ['There is no PostgreSQL server for this platform: the package x is not installed.', false],
  [`${DID_NOT_START}could not create semaphores: No space left on device`, false],
  [`${DID_NOT_START}could not create shared memory segment: No space left on device`, false],
  [`${DID_NOT_START}could not map anonymous shared memory: Cannot allocate memory`, false],
  ['spawn id ENOENT', false],
])('another TMPDIR is advised only where the folder is to blame: %s', (reason, isAdvised) => {
  const { message } = sampleFailure(new Error(reason));
  expect(message.startsWith(reason)).toBe(true);
  expect(message).toContain('your own database with --database.');
  expect(message.includes('Set TMPDIR')).toBe(isAdvised);
});
