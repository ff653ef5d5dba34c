import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { restoreJobCommand } from '../../../docker/dump/restore-command.ts';
import type { Task } from '../../../docker/plan/environment.ts';

const execute = promisify(execFile);

const task: Task = {
  secretArn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-AbCdEf',
  region: 'eu-west-1',
  scheduledFor: '2026-11-22T08:00:00Z',
  execution: 'arn:aws:states:eu-west-1:123456789012:execution:autodump:prod-app',
  job: undefined,
  buckets: ['dumps'],
  retentionDays: 35,
  restoreJob: 'AutoDump-restore',
  scratch: '/scratch',
};

const TARGET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:new/app-GhIjKl';

/** Runs a command in a shell in which `aws` prints its arguments, each followed by a NUL. */
async function paste(command: string, environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  try {
    await writeFile(join(folder, 'aws'), `#!/bin/sh\nprintf '%s\\0' "$@"\n`);
    await chmod(join(folder, 'aws'), 0o755);
    const env = { PATH: `${folder}:${process.env.PATH ?? ''}`, ...environment };
    const { stdout } = await execute('sh', ['-c', command], { env });
    return stdout.split('\0').slice(0, -1);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test.each(['prod/app/app-20261122T080000Z.dmp', `prod/it's "$(id)" \\ ü/größe, $x-20261122T080000Z.dmp`])(
  'the job for %s restores that key into the database that TARGET names',
  async (key) => {
    const args = await paste(restoreJobCommand({ bucket: 'dumps', key }, task), { TARGET });
    const options = Object.fromEntries(
      args.slice(2).flatMap((arg, i, all) => (i % 2 === 0 ? [[arg, all[i + 1] ?? '']] : [])),
    ) as Record<string, string>;
    expect(args.slice(0, 2)).toEqual(['batch', 'submit-job']);
    expect(options).toMatchObject({
      '--region': 'eu-west-1',
      '--job-queue': 'AutoDump-restore',
      '--job-definition': 'AutoDump-restore',
    });
    expect(JSON.parse(options['--container-overrides'] ?? '')).toEqual({
      command: ['restore', `s3://dumps/${key}`, '--to', TARGET],
    });
  },
);

test('without TARGET no job is submitted', async () => {
  await expect(paste(restoreJobCommand({ bucket: 'dumps', key: 'a.dmp' }, task), {})).rejects.toThrow(
    'TARGET: set it to the ARN of a secret',
  );
});
