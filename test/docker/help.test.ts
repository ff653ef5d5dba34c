import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { EXIT_STATUS } from '../../contract.ts';

const PROGRAM = fileURLToPath(new URL('../../docker/main.ts', import.meta.url));

test.each(['--help', '-h', 'dump --help', 'restore --help'])(
  '%s prints every command, option and exit status, and succeeds',
  (args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args.split(' ')], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: EXIT_STATUS.done, stderr: '' });
    for (const term of ['dump --check', 'restore s3://', '--to', '--jobs', '--into-non-empty']) {
      expect(stdout).toContain(term);
    }
    for (const code of Object.values(EXIT_STATUS)) {
      expect(stdout).toMatch(new RegExp(`\\b${code}\\b`));
    }
  },
);
