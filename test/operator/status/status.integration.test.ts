import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Loopback } from '../../../local/host/loopback.ts';
import { type S3Server, startS3 } from '../../../local/services/s3/s3.ts';
import type { Options } from '../../../operator/status/options.ts';
import { showStatus } from '../../../operator/status/status.ts';
import { NOW, STATUS } from '../../lambda/core/status/examples.ts';
import { serveStack } from '../support/cloudformation.ts';
import { ended, startCommand } from '../support/start-command.ts';

const BUCKET = 'status-bucket';
const credentials = { accessKeyId: 'a', secretAccessKey: 'a' };

let folder: string;
let objects: S3Server;
let stack: Loopback;
let other: Loopback;
let s3: S3Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  objects = await startS3({ directory: join(folder, 's3') });
  await objects.createBucket(BUCKET);
  stack = await serveStack('AutoDump', { outputs: { StatusBucketName: BUCKET } });
  other = await serveStack('Older', {});
  s3 = new S3Client({ endpoint: objects.endpoint, forcePathStyle: true, region: 'us-west-2', credentials });
});

beforeEach(async () => {
  await put('status.json', JSON.stringify(STATUS));
  await put('status.html', '<p>the page');
});

afterAll(async () => {
  s3.destroy();
  await Promise.all([objects.stop(), stack.stop(), other.stop()]);
  await rm(folder, { recursive: true });
});

async function put(Key: string, Body: string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
}

/** Shows the status, by default half an hour after the check. */
async function show(options: Partial<Options>, { endpoint = stack.url, minutes = 30 } = {}) {
  const lines: string[] = [];
  const warnings: string[] = [];
  const cloudFormation = new CloudFormationClient({ endpoint, region: 'us-west-2', credentials });
  try {
    const status = await showStatus(
      { secrets: [], stack: 'AutoDump', json: false, ...options },
      {
        cloudFormation,
        s3,
        now: new Date(NOW.getTime() + minutes * 60_000),
        paint: (_, text) => text,
        width: Infinity,
        report: (line) => lines.push(line),
        warn: (line) => warnings.push(line),
      },
    );
    return { status, lines, warnings };
  } finally {
    cloudFormation.destroy();
  }
}

test.each<[string, readonly string[], number]>([
  ['all secrets, some of which are in trouble', [], 1],
  ['secrets that are fresh, late or new', ['prod/orders', 'prod/events', 'staging/new'], 0],
  ['an overdue secret', ['prod/customers', 'prod/orders'], 1],
  ['a failing secret', ['prod/inventory'], 1],
  ['a secret that could not be checked', ['prod/<script>alert(1)</script>'], 1],
  ['a secret with a broken tag', ['prod/typo'], 1],
  ['a secret of which rows vanished', ['prod/accounts'], 1],
  ['a secret whose last drill found differences', ['prod/ledger'], 1],
  ['a secret whose drill is overdue', ['prod/archive'], 1],
])('of %s, the exit status tells whether all is well', async (_, secrets, status) => {
  const shown = await show({ secrets });
  expect(shown).toMatchObject({ status, warnings: [] });
  const named = secrets.length === 0 ? STATUS.secrets.map(({ secret }) => secret) : secrets;
  for (const name of named) {
    expect(shown.lines.join('\n')).toContain(name);
  }
});

test('as JSON it is the document, with the named secrets', async () => {
  const { lines } = await show({ json: true });
  expect(JSON.parse(lines.join('\n'))).toEqual(JSON.parse(JSON.stringify(STATUS)));
  const { lines: selected } = await show({ json: true, secrets: ['prod/orders'] });
  expect(JSON.parse(selected.join('\n'))).toMatchObject({ secrets: [{ secret: 'prod/orders' }] });
});

test('the page is written to a file that nobody else may read', async () => {
  const html = join(folder, 'page.html');
  await writeFile(html, 'an earlier page, which is longer', { mode: 0o644 });
  await show({ html });
  expect(await readFile(html, 'utf8')).toBe('<p>the page');
  expect((await stat(html)).mode & 0o777).toBe(0o600);
});

test('not even while it is written', async () => {
  // More than a pipe has room for, so that writing stops until it is read.
  const page = 'x'.repeat(1_000_000);
  await put('status.html', page);
  const html = join(folder, 'pipe');
  execFileSync('mkfifo', ['--mode=644', html]);
  const reader = await open(html, 'r+');
  const shown = show({ html });
  for (let read = 0; read < page.length; read += (await reader.read()).bytesRead) {
    if (read > 0) {
      expect((await stat(html)).mode & 0o777).toBe(0o600);
    }
  }
  await shown;
  await reader.close();
});

test('a status that is more than two periods old is trouble, and its age is shown', async () => {
  const secrets = ['prod/orders'];
  expect(await show({ secrets }, { minutes: 120 })).toMatchObject({ status: 0, warnings: [] });
  expect(await show({ secrets }, { minutes: 180 })).toMatchObject({
    status: 1,
    warnings: [
      'The last check was 3h ago, and there should be one every 60 minutes: see docs/operations.md#alarm-heartbeat-missing.',
    ],
  });
});

test('what is missing is reported by name', async () => {
  await expect(show({ secrets: ['prod/orders', 'prod/ordres'] })).rejects.toThrow(
    /^Not on a schedule, as of 2026-11-22T09:30:00Z: prod\/ordres\. /,
  );
  await expect(show({ stack: 'Typo' })).rejects.toThrow(/^There is no stack Typo in this account and Region\./);
  await expect(show({ stack: 'Older' }, { endpoint: other.url })).rejects.toThrow(
    /^The stack Older has no output StatusBucketName\. Its status is CREATE_COMPLETE:/,
  );
  await put('status.json', JSON.stringify({ ...STATUS, version: 2 }));
  await expect(show({})).rejects.toThrow(
    /is not a status that this version reads \(status\.version: .*Deploy this version/,
  );
  await put('status.json', '{');
  await expect(show({})).rejects.toThrow('is not a status that this version reads (status: ');
  await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'status.json' }));
  await expect(show({})).rejects.toThrow(
    /^There is no status yet: s3:\/\/status-bucket\/status\.json does not exist\./,
  );
});

/** The environment of the command as a program. */
function aws() {
  return {
    AWS_REGION: 'us-west-2',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'a',
    AWS_ENDPOINT_URL_CLOUDFORMATION: stack.url,
    AWS_ENDPOINT_URL_S3: objects.endpoint,
  };
}

test('the command prints no colors into a pipe', async () => {
  const shown = await ended(startCommand('status', [], aws()));
  expect(shown).toEqual([
    1,
    expect.stringMatching(/^AutoDump, account 123456789012, .*\noverdue +prod\/customers /s),
    expect.stringMatching(/^The last check was .* ago/),
  ]);
  expect(shown[1]).not.toContain('\u001b');
});

(process.platform === 'linux' ? test : test.skip)('a terminal without a width shows all columns', async () => {
  // This one has neither rows nor columns.
  const program = spawn('script', ['-qec', `"${process.execPath}" operator/status/main.ts`, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: devNull, ...aws() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(await text(program.stdout)).toMatch(/^.*STATE .* ROWS.*$/m);
});
