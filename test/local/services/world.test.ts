import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { synthesize } from '../../../local/assembly/synth.ts';
import { Processes } from '../../../local/host/processes.ts';
import { findClients } from '../../../local/postgres/clients.ts';
import { type PostgresServer, startPostgres } from '../../../local/postgres/server.ts';
import type { Execution } from '../../../local/services/execution.ts';
import { startWorld, type World } from '../../../local/services/world.ts';

const SCHEDULE = 'autodump:start-schedule';

let folder: string;
let data: string;
let cdkOut: string;
let clients: readonly string[];
let server: PostgresServer;
let world: World;
let bucket: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  cdkOut = join(folder, 'cdk.out');
  await synthesize(cdkOut, new Processes());
  clients = (await findClients(process.env.PATH ?? '')).map((found) => found.folder);
  data = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  server = await startPostgres({ directory: data });
});

afterAll(async () => {
  await server.stop();
  await rm(data, { recursive: true });
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  const directory = await mkdtemp(join(folder, 'world-'));
  world = await startWorld({ cdkOut, directory, clients, report: () => undefined });
  bucket = world.buckets[0] ?? '';
});

afterEach(() => world.stop());

interface SecretOptions {
  readonly schedule?: string;
  readonly value?: object;
}

async function createSecret(Name: string, { schedule = '@daily', value = {} }: SecretOptions = {}): Promise<string> {
  const database = {
    engine: 'postgres',
    endpoint: server.host,
    port: server.port,
    username: server.user,
    password: server.password,
    databasename: 'postgres',
    bucketname: bucket,
  };
  const SecretString = JSON.stringify({ ...database, ...value });
  const Tags = [{ Key: SCHEDULE, Value: schedule }];
  const { ARN = '' } = await world.secretsManager.send(new CreateSecretCommand({ Name, SecretString, Tags }));
  await world.settled();
  return ARN;
}

/** The executions that wait, of a secret. */
function waiting(secretArn: string): readonly Execution[] {
  return world.executions.filter(({ input, wait }) => input.includes(secretArn) && wait !== undefined);
}

/** Lets the time come that the one waiting execution of a secret waits for. */
async function timeComes(secretArn: string): Promise<Execution> {
  const [execution, ...others] = waiting(secretArn);
  if (execution === undefined || others.length > 0) {
    throw new Error(`${waiting(secretArn).length} executions wait.`);
  }
  execution.wait?.finish();
  await execution.ended;
  return execution;
}

async function dumps(secretName: string): Promise<readonly string[]> {
  const files = await readdir(join(world.objects, bucket), { recursive: true }).catch(() => []);
  return files.filter((file) => file.startsWith(`${secretName}/`) && file.endsWith('.dmp'));
}

describe('a tagged secret', () => {
  test('is dumped when the time comes, and waits for the next time', async () => {
    const arn = await createSecret('db');
    const { end } = await timeComes(arn);
    expect(end?.status).toBe('SUCCEEDED');
    expect(await dumps('db')).toHaveLength(1);
    expect(waiting(arn)).toHaveLength(1);
  });

  test('has one execution for one time, however often it is looked at', async () => {
    const arn = await createSecret('db');
    world.deployed();
    world.strike();
    await world.secretsManager.send(new TagResourceCommand({ SecretId: arn, Tags: [{ Key: 'other', Value: 'tag' }] }));
    await world.settled();
    expect(world.executions).toHaveLength(1);
    expect(world.deadLetters).toEqual([]);
  });
});

describe('while an execution waits', () => {
  test('a changed tag ends it as superseded, and the new schedule runs', async () => {
    const arn = await createSecret('db', { schedule: '15 4 * * *' });
    const [old] = waiting(arn);
    await world.secretsManager.send(
      new TagResourceCommand({ SecretId: arn, Tags: [{ Key: SCHEDULE, Value: '45 5 * * *' }] }),
    );
    await world.settled();
    expect(waiting(arn)).toHaveLength(2);
    old?.wait?.finish();
    expect(await old?.ended).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'changed' } });
    expect(await dumps('db')).toEqual([]);
    const { end } = await timeComes(arn);
    expect(end?.status).toBe('SUCCEEDED');
    expect(await dumps('db')).toEqual([expect.stringMatching(/T054500Z\.dmp$/)]);
  });

  test('a removed tag ends it gracefully', async () => {
    const arn = await createSecret('db');
    await world.secretsManager.send(new UntagResourceCommand({ SecretId: arn, TagKeys: [SCHEDULE] }));
    await world.settled();
    const { end } = await timeComes(arn);
    expect(end).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'removed' } });
    expect(await dumps('db')).toEqual([]);
    expect(waiting(arn)).toEqual([]);
  });

  test.each([
    ['deleted at once', { ForceDeleteWithoutRecovery: true }],
    ['to be deleted', { RecoveryWindowInDays: 7 }],
  ])('a secret that is %s ends it gracefully', async (_, how) => {
    const arn = await createSecret('db');
    await world.secretsManager.send(new DeleteSecretCommand({ SecretId: arn, ...how }));
    await world.settled();
    const { end } = await timeComes(arn);
    expect(end).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'gone' } });
    expect(await dumps('db')).toEqual([]);
    expect(waiting(arn)).toEqual([]);
  });
});

describe('another secret', () => {
  test('with a broken tag harms nobody, and is reported by name', async () => {
    await createSecret('broken', { schedule: 'every day' });
    const arn = await createSecret('db');
    expect(world.deadLetters[0]?.responsePayload.errorMessage).toContain('broken: schedule "every day"');
    expect((await timeComes(arn)).end?.status).toBe('SUCCEEDED');
    expect(await dumps('db')).toHaveLength(1);
    expect(world.executions.every(({ input }) => input.includes(arn))).toBe(true);
  });

  test('with a broken value harms nobody, and its run fails with the reason', async () => {
    const broken = await createSecret('broken', { value: { engine: 'mysql' } });
    const arn = await createSecret('db');
    const { end } = await timeComes(broken);
    expect(end).toMatchObject({ status: 'FAILED', cause: expect.stringContaining('exit status 65') });
    expect((await timeComes(arn)).end?.status).toBe('SUCCEEDED');
    expect(await dumps('broken')).toEqual([]);
    expect(await dumps('db')).toHaveLength(1);
    expect(waiting(broken)).toHaveLength(1);
  });
});
