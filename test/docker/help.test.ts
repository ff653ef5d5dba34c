import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { EXIT_STATUS } from '../../contract.ts';

const PROGRAM = fileURLToPath(new URL('../../docker/main.ts', import.meta.url));

test.each(['--help', '-h', 'dump --help', 'restore --help'])(
  'asked for help by %s, the program tells its words and every exit status, and ends well',
  (words) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words.split(' ')], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: EXIT_STATUS.done, stderr: '' });
    for (const word of ['dump --check', 'restore s3://', '--to', '--jobs', '--into-non-empty']) {
      expect(stdout).toContain(word);
    }
    for (const code of Object.values(EXIT_STATUS)) {
      expect(stdout).toMatch(new RegExp(`\\b${code}\\b`));
    }
  },
);
