import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld, changed, SCHEDULE_TAG } from '../support/app-world.ts';
import { query } from '../support/database.ts';
import { killJobOf, silentServer } from '../support/killed-job.ts';

const shared = appOnPostgres(synthesizedApp);

let app: AppWorld;
beforeAll(async () => {
  const { cdkOut, folder, server } = shared();
  app = await AppWorld.start(cdkOut, folder, server);
});
afterAll(async () => {
  await app.world.stop();
});

/** Times, ports, hashes and IDs differ from run to run. */
function stable(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT00:00:00Z/g, '<midnight>')
    .replace(/\d{8}T000000Z-[0-9a-f]{24}/g, '<run>')
    .replace(/\d{8}T000000Z\.dmp/g, '<time>.dmp')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<job>')
    .replace(/Seen: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'Seen: <now>')
    .replace(/-[0-9A-Za-z]{6} did not/g, '-<suffix> did not')
    .replace(/127\.0\.0\.1 port \d+/g, '<server>');
}

/** As {@link AppWorld.published}, without what differs from run to run. */
async function messagesOf(work: () => unknown, world: AppWorld = app): Promise<readonly string[]> {
  return (await world.published(work)).map(stable);
}

/** Creates a secret whose value differs. @returns the messages about its run */
async function messagesOfRun(name: string, value: object): Promise<readonly string[]> {
  const arn = await app.createSecret(name, { value: { bucketname: app.bucket, ...value } });
  return await messagesOf(() => app.runNow(arn));
}

const execution = (name: string): string =>
  'Execution: https://us-west-2.console.aws.amazon.com/states/home?region=us-west-2#/v2/executions/details/' +
  `arn:aws:states:us-west-2:123456789012:execution:AutoDump-Workflow-StateMachine:${name}-<run>`;

const LOG_STREAM =
  'Log stream: https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2#logsV2:log-groups/' +
  'log-group/AutoDump-DumpJob-Logs/log-events/dump$252Fdefault$252F<job>';

const WHERE = 'Where: account 123456789012, us-west-2';

/** The message about a dump that failed. */
function dumpFailed(secret: string, database: string, status: number, why: string, log: string): string {
  return [
    `DUMP FAILED: ${secret}`,
    'Scheduled: <midnight>',
    `Dump: s3://autodump-archive-bucket/${secret}/${database}-<time>.dmp`,
    `Why: ${why}`,
    `Log: ${log}`,
    'Next run: <midnight>',
    `What to do: docs/operations.md#exit-status-${status}`,
    execution(secret.replace('/', '_')),
    LOG_STREAM,
    WHERE,
    '',
  ].join('\n');
}

describe('exactly one message names secret, time, cause and remedy of', () => {
  test('a wrong password', async () => {
    const value = { password: 'wrong' };
    expect(await messagesOfRun('prod/orders', value)).toEqual([
      dumpFailed(
        'prod/orders',
        'postgres',
        77,
        'The job ended with exit status 77, refused by the database or by AWS.',
        'AutoDump failed: refused (exit status 77): <server>, user "postgres", database "postgres": Wrong password, ' +
          'or no such user: check user name and password. The server says: password authentication failed ' +
          'for user "postgres" (28P01)',
      ),
    ]);
  });

  test('a database that is gone, and then of its first good dump only', async () => {
    const arn = await app.createSecret('prod/gone', { value: { bucketname: app.bucket, databasename: 'gone' } });
    expect(await messagesOf(() => app.runNow(arn))).toEqual([
      dumpFailed(
        'prod/gone',
        'gone',
        77,
        'The job ended with exit status 77, refused by the database or by AWS.',
        'AutoDump failed: refused (exit status 77): <server>, user "postgres", database "gone": There is no such ' +
          'database: check its name. The server says: database "gone" does not exist (3D000)',
      ),
    ]);
    await query(shared().server, 'postgres', 'create database gone');
    expect(await messagesOf(() => app.runNow(arn))).toEqual([
      [
        'RECOVERED: prod/gone',
        'Scheduled: <midnight>',
        'Before: The last failure was that of the run scheduled for <midnight>.',
        'Next run: <midnight>',
        'What to do: nothing',
        execution('prod_gone'),
        WHERE,
        '',
      ].join('\n'),
    ]);
    expect(await messagesOf(() => app.runNow(arn))).toEqual([]);
    const own = app.events.flatMap((event) =>
      event.kind === 'event' && event.source === 'autodump' ? [event.name] : [],
    );
    expect(own.slice(-2)).toEqual(['dump failed', 'recovered']);
  });

  test('a database with several problems, each of which it names', async () => {
    const { server } = shared();
    await query(
      server,
      'postgres',
      'create database several',
      "create role several login password 'several' in role pg_read_all_data",
    );
    await query(
      server,
      'several',
      'create table tenants ()',
      'alter table tenants enable row level security',
      'select lo_create(4711)',
    );
    const value = { username: 'several', password: 'several', databasename: 'several' };
    const [message, ...others] = await messagesOfRun('prod/several', value);
    expect(others).toEqual([]);
    expect(message).toMatch(
      new RegExp(
        '^DUMP FAILED: prod/several\n[^]*\nLog: AutoDump failed: refused \\(exit status 77\\): 2 problems: ' +
          '\\(1\\) Row security: The user several is subject to row-level security on public\\.tenants, .* ' +
          '\\(2\\) Large objects: The user several may not read the large object 4711: grant .* their owner\\.\n',
      ),
    );
  });

  test('a secret of which several fields are missing or wrong, each of which it names', async () => {
    const value = { username: undefined, port: 'x', bucketname: 'elsewhere', databasename: undefined };
    expect(await messagesOfRun('prod/incomplete', value)).toEqual([
      expect.stringMatching(
        /^DUMP FAILED: prod\/incomplete\n[^]*\nLog: AutoDump failed: bad secret \(exit status 65\): The secret prod\/incomplete is invalid: username is missing; databasename is missing; port must be .*; bucketname must be/,
      ),
    ]);
  });

  test('a job of which three attempts failed', async () => {
    expect(await messagesOfRun('prod/closed', { port: 1 })).toEqual([
      dumpFailed(
        'prod/closed',
        'postgres',
        75,
        'The job ended with exit status 75, database or S3 out of reach, a lock timeout, storage pressure, or ' +
          'stopped by the platform, on the last of 3 attempts.',
        'AutoDump failed: temporary failure (exit status 75): <server> cannot be reached: nothing listens on that ' +
          'port: check the port, and whether the server is running.',
      ),
    ]);
  });

  test('a job that was killed', async () => {
    const { server, port } = await silentServer(() => {
      killJobOf('prod/large');
    });
    const messages = await messagesOfRun('prod/large', { port });
    server.close();
    expect(messages).toEqual([
      dumpFailed(
        'prod/large',
        'postgres',
        137,
        'The job ended with exit status 137, killed, as when it exceeds its memory.',
        'Secret prod/large, scheduled for <midnight>: dump to ' +
          's3://autodump-archive-bucket/prod/large/postgres-<time>.dmp',
      ),
    ]);
  });

  test('an execution that was stopped by hand', async () => {
    const arn = await app.createSecret('prod/stopped');
    expect(await messagesOf(() => app.stopExecution(app.waiting(arn).arn, 'Maintenance\nwindow'))).toEqual([
      [
        'RUN STOPPED: prod/stopped',
        'Scheduled: <midnight>',
        'Why: Maintenance | window',
        'What to do: docs/operations.md#alarm-run-aborted',
        execution('prod_stopped'),
        WHERE,
        '',
      ].join('\n'),
    ]);
  });

  test('a schedule that cannot be followed, however often it is scanned', async () => {
    const Tags = [{ Key: SCHEDULE_TAG, Value: 'every day' }];
    const create = () => app.createSecret('prod/broken', { Tags });
    expect(await messagesOf(create)).toEqual([
      [
        'SCAN FAILED',
        'Seen: <now>',
        'Why: prod/broken: schedule "every day" has 2 fields: allowed are five fields (minute, hour, day of month, month, ' +
          'day of week) such as "0 8 * * 1-5", or one of @hourly, @daily, @midnight, @weekdays, @weekends, @weekly, ' +
          '@monthly, @annually, @yearly',
        'What to do: docs/operations.md#alarm-scan-failed',
        WHERE,
        '',
      ].join('\n'),
    ]);
    const scan = async (): Promise<void> => {
      app.world.triggerSchedules();
      await app.world.settled();
    };
    expect(await messagesOf(scan)).toEqual([]);
  });

  test('a Scanner that throws', async () => {
    const { cdkOut, folder, server } = shared();
    const broken = await changed(cdkOut, folder, ({ Resources }) => ({
      Resources: Object.fromEntries(
        Object.entries(Resources).map(([id, resource]) =>
          /^ScannerFunction[0-9A-F]{8}$/.test(id)
            ? [id, { ...resource, Properties: { ...resource.Properties, Environment: undefined } }]
            : [id, resource],
        ),
      ),
    }));
    const other = await AppWorld.start(broken, folder, server);
    const messages = await messagesOf(() => other.createSecret('prod/orders'), other);
    await other.world.stop();
    expect(messages.map((message) => message.split('\n'))).toEqual([
      [
        'SCAN FAILED',
        'Seen: <now>',
        expect.stringMatching(
          /^Why: The scan of arn:.*:secret:prod\/orders-<suffix> did not come to its end: \$ZodError: .*STATE_MACHINE_ARN/,
        ),
        'What to do: docs/operations.md#alarm-scan-failed',
        WHERE,
        '',
      ],
    ]);
  });
});

describe('exactly one message about a newly tagged secret says', () => {
  /** Creates a secret of the database `checked`. @returns the messages about it */
  async function messagesOfCheck(name: string, value: object = {}): Promise<readonly string[]> {
    const Tags = [
      { Key: SCHEDULE_TAG, Value: '30 7 1 1 *' },
      { Key: 'autodump:timezone', Value: 'America/Denver' },
    ];
    const create = () =>
      app.createSecret(name, { value: { bucketname: app.bucket, databasename: 'checked', ...value }, Tags });
    return (await messagesOf(create)).map((text) => text.replace(/check-[0-9a-f]{24}/, '<check>'));
  }

  /** The next three New Year's Days, half past seven in Denver. */
  const UPCOMING = [1, 2, 3].map((years) => {
    const year = new Date().getUTCFullYear() + years;
    const weekday = new Date(`${year}-01-01`).toLocaleDateString('en', { weekday: 'short', timeZone: 'UTC' });
    return `${year}-01-01T14:30:00Z (${weekday} 1 Jan ${year}, 07:30 in America/Denver)`;
  });

  const checkOf = (name: string): string =>
    'Execution: https://us-west-2.console.aws.amazon.com/states/home?region=us-west-2#/v2/executions/details/' +
    `arn:aws:states:us-west-2:123456789012:execution:AutoDump-Check-StateMachine:${name}-<check>`;

  beforeAll(async () => {
    const { server } = shared();
    await query(server, 'postgres', 'create database checked', "create role poor login password 'poor'");
    await query(server, 'checked', 'create table private ()');
  });

  test('that it can be dumped, and when it will be', async () => {
    const messages = await messagesOfCheck('new/fine');
    expect(messages.map((message) => message.split('\n'))).toEqual([
      [
        'CAN BE DUMPED: new/fine',
        expect.stringMatching(/^Tags as of: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        `Next run: ${UPCOMING[0] ?? ''}`,
        `Then: ${UPCOMING.slice(1).join(', ')}`,
        expect.stringMatching(/^Found: TLS \(warning\): none: /),
        expect.stringMatching(/^Found: Server version \(warning\): /),
        'What to do: read the warnings, which do not prevent a dump',
        checkOf('new_fine'),
        LOG_STREAM,
        WHERE,
        '',
      ],
    ]);
  });

  test('the SQL that grants what is missing', async () => {
    const [message, ...others] = await messagesOfCheck('new/poor', { username: 'poor', password: 'poor' });
    expect(others).toEqual([]);
    expect(message).toContain(
      [
        'Run this SQL in the database to grant the missing privileges:',
        '  -- All tables and sequences, including future ones; on RDS, run it as the master user.',
        '  GRANT pg_read_all_data TO poor;',
      ].join('\n'),
    );
    expect(message).toMatch(
      /^CANNOT BE DUMPED: new\/poor\nTags as of: .*\nNext run: .*\nThen: .*\nWhy: .* exit status 77, /,
    );
    expect(message).toMatch(/^Found: Tables, sequences: The user poor may not read public\.private: /m);
    expect(message).toContain('What to do: docs/operations.md#exit-status-77\n');
  });

  test('the security groups to allow, if the server cannot be reached', async () => {
    const [message, ...others] = await messagesOfCheck('new/closed', { port: 1 });
    expect(others).toEqual([]);
    expect(message).toMatch(/^CANNOT BE DUMPED: new\/closed\n/);
    expect(message).toMatch(
      /^Found: Port: .* cannot be reached: .*\nSecurity groups of the jobs, to allow on the database's port: /m,
    );
    expect(message).toContain('What to do: docs/operations.md#exit-status-75\n');
  });
});
