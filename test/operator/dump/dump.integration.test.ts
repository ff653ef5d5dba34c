import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { Template } from '../../../local/assembly/template.ts';
import type { Loopback } from '../../../local/host/loopback.ts';
import { credentialsOf } from '../../../local/services/protocol/credentials.ts';
import { dump, type Environment } from '../../../operator/dump/dump.ts';
import { Refused } from '../../../operator/dump/start-run.ts';
import { appOnPostgres } from '../../local/support/app-on-postgres.ts';
import { AppWorld, SCHEDULE_TAG } from '../../local/support/app-world.ts';
import { query } from '../../local/support/database.ts';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { until } from '../../support/until.ts';
import { serveStack } from '../support/cloudformation.ts';
import { ended, startCommand } from '../support/start-command.ts';

const shared = appOnPostgres(synthesizedApp);

let app: AppWorld;
let cloudFormation: Loopback;
let clients: Omit<Environment, 'report' | 'pause' | 'onFollow'>;

beforeAll(async () => {
  const { cdkOut, folder, server } = shared();
  app = await AppWorld.start(cdkOut, folder, server);
  await query(server, 'postgres', 'create database locked');
  await query(server, 'locked', 'create table held ()');
  cloudFormation = await serveStack('AutoDump', { outputs: outputsOf(cdkOut) });
  clients = {
    cloudFormation: new CloudFormationClient({ ...app.administrator, endpoint: cloudFormation.url }),
    lambda: new LambdaClient(app.administrator),
    stepFunctions: new SFNClient(app.administrator),
    batch: new BatchClient(app.administrator),
    logs: new CloudWatchLogsClient(app.administrator),
  };
});

afterAll(async () => {
  for (const client of Object.values(clients)) {
    client.destroy();
  }
  await cloudFormation.stop();
  await app.world.stop();
});

/** The outputs that the command reads. */
function outputsOf(cdkOut: string): Record<string, string> {
  const template = new Template(cdkOut);
  const { Outputs } = JSON.parse(readFileSync(join(cdkOut, 'AutoDump.template.json'), 'utf8')) as {
    Outputs: Record<string, { Value: unknown }>;
  };
  const keys = ['ScannerName', 'JobQueueArn'];
  return Object.fromEntries(keys.map((key) => [key, String(template.resolve(Outputs[key]?.Value))]));
}

/** Runs the command in this process. @returns its exit status, and what it printed */
async function run(secret: string, { wait = true, ...others }: { wait?: boolean } & Partial<Environment> = {}) {
  const lines: string[] = [];
  const status = await dump(
    { secret, wait },
    {
      ...clients,
      report: (line) => lines.push(line),
      pause: () => setTimeout(100),
      onFollow: () => undefined,
      ...others,
    },
  );
  return { status, lines };
}

/** A schedule whose next time is about half a year away. */
function halfAYearAway(): string {
  return `0 3 1 ${((new Date().getUTCMonth() + 6) % 12) + 1} *`;
}

/** The lines of the log of the only dump of a secret. */
async function logOf(secret: string): Promise<readonly string[]> {
  const files = (await readdir(app.world.logs, { recursive: true })).filter((file) => file.startsWith('dump/'));
  const texts = await Promise.all(
    files.filter((file) => file.endsWith('.log')).map((file) => readFile(join(app.world.logs, file), 'utf8')),
  );
  const [log = '', ...others] = texts.filter(
    (content) => content.includes(`Secret ${secret},`) && !content.includes('All checks passed'),
  );
  expect(others).toEqual([]);
  return log
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(line.indexOf(' ') + 1));
}

test('a database whose next dump is half a year away is dumped now, with its log, and that dump stays as it is', async () => {
  const arn = await app.createSecret('prod/rare', {
    value: { bucketname: app.bucket },
    Tags: [{ Key: SCHEDULE_TAG, Value: halfAYearAway() }],
  });
  const waiting = app.waiting(arn);
  const { when } = JSON.parse(waiting.input) as { when: string };
  const { status, lines } = await run('prod/rare');
  expect(status).toBe(0);
  expect(lines).toEqual([
    expect.stringMatching(/^Started a run of prod\/rare, scheduled for \S+Z: arn:aws:states:.*:execution:/),
    expect.stringMatching(/^Job [0-9a-f-]{36}: RUNNING$/),
    ...(await logOf('prod/rare')),
    'The dump ended well.',
    `Rescheduling ended well. The next run is at ${when}.`,
  ]);
  expect((await app.dumps()).filter((file) => file.startsWith('prod/rare/'))).toHaveLength(1);
  expect(app.waiting(arn)).toBe(waiting);
});

test('a dump that fails ends the command with its exit status, after its reason', async () => {
  await app.createSecret('prod/wrong', { value: { bucketname: app.bucket, password: 'wrong' } });
  const { status, lines } = await run('prod/wrong');
  expect(status).toBe(77);
  expect(lines.at(-3)).toMatch(/^AutoDump failed: refused \(exit status 77\): .*Wrong password/);
  expect(lines.at(-2)).toMatch(/^The dump of arn:.*:secret:prod\/wrong-\w+ at \S+ failed: exit status 77, /);
});

test('without the permission to read its log, a run is followed to its end all the same', async () => {
  await app.createSecret('prod/quiet', { value: { bucketname: app.bucket } });
  const logs = new CloudWatchLogsClient({
    ...app.administrator,
    credentials: credentialsOf('arn:aws:iam::123456789012:user/other'),
  });
  const { status, lines } = await run('prod/quiet', { logs });
  logs.destroy();
  expect(status).toBe(0);
  expect(lines.slice(1)).toEqual([
    expect.stringMatching(/^Job .*: RUNNING$/),
    expect.stringMatching(/^The job cannot be followed: AccessDeniedException: .* logs:GetLogEvents /),
    'The dump ended well.',
    expect.stringMatching(/^Rescheduling ended well\./),
  ]);
});

test.each([
  ['unknown', 'prod/unknown', () => undefined, 'There is no secret prod/unknown in this account and Region.'],
  [
    'on no schedule',
    'prod/untagged',
    () => app.createSecret('prod/untagged', { Tags: [] }),
    'prod/untagged cannot be dumped now: It is not on a schedule.',
  ],
])('a secret that is %s is refused with the reason', async (_, secret, create, reason) => {
  await create();
  const refusal = run(secret);
  await expect(refusal).rejects.toThrow(Refused);
  await expect(refusal).rejects.toMatchObject({ message: reason, exitStatus: 77 });
});

test('a run that cannot be followed goes on, and the command says how to see its end', async () => {
  await app.createSecret('prod/alone', { value: { bucketname: app.bucket } });
  const stepFunctions = new SFNClient({
    ...app.administrator,
    credentials: credentialsOf('arn:aws:iam::123456789012:user/other'),
  });
  await expect(run('prod/alone', { stepFunctions })).rejects.toThrow(
    /^The run cannot be followed: AccessDeniedException: [^]*\nThis does not stop the run\. .*--execution-arn arn:aws:states:/,
  );
  stepFunctions.destroy();
  const execution = app.runs.find(({ arn, wait }) => arn.includes('prod_alone') && wait === undefined);
  expect((await execution?.ended)?.status).toBe('SUCCEEDED');
});

describe('as a program', () => {
  function start(args: readonly string[]) {
    const { accessKeyId, secretAccessKey } = app.administrator.credentials;
    return startCommand('dump', args, {
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL: app.world.endpoints.services,
      AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url,
    });
  }

  test('Ctrl-C stops following, not the run', async () => {
    await app.createSecret('prod/locked', { value: { bucketname: app.bucket, databasename: 'locked' } });
    const holder = new pg.Client({ ...shared().server, database: 'locked' });
    await holder.connect();
    try {
      // The dump waits for this lock.
      await holder.query('begin; lock table held in access exclusive mode');
      const program = start(['prod/locked', '--wait']);
      const [stderr, exit] = [text(program.stderr), once(program, 'exit')];
      let stdout = '';
      program.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      await until(() => stdout.includes('Secret prod/locked, scheduled for'));
      program.kill('SIGINT');
      expect(await exit).toEqual([130, null]);
      expect(await stderr).toMatch(
        /^Stopped following\. This does not stop the run\. To see how it ended: aws stepfunctions /,
      );
      const execution = app.runs.find(({ arn, wait }) => arn.includes('prod_locked') && wait === undefined);
      expect(execution).not.toHaveProperty('end');
      await app.stopExecution(execution?.arn ?? '');
    } finally {
      await holder.end();
    }
  });

  test('a run is started, and not waited for', async () => {
    const arn = await app.createSecret('prod/started', { value: { bucketname: app.bucket } });
    const [status, stdout, stderr] = await ended(start([arn]));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Started a run of arn:[^\n]*, scheduled for \S+Z: arn:aws:states:[^\n]*\n$/);
    const execution = app.runs.find(({ name }) => stdout.includes(`:${name}\n`));
    expect((await execution?.ended)?.status).toBe('SUCCEEDED');
  });
});
