import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { type FinishedDump, manifestOf, manifestSchema, recoveredManifest } from '../../../docker/dump/manifest.ts';
import type { Plan } from '../../../docker/plan/plan.ts';
import { NO_FILTERS } from '../../../docker/postgres/filters/filters.ts';

const FILE = new URL('../../../docker/dump/manifest.schema.json', import.meta.url);

const plan: Plan = {
  task: {
    secretArn: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/app-AbCdEf',
    region: 'us-west-2',
    scheduledFor: '2026-11-22T08:00:00Z',
    execution: 'arn:aws:states:us-west-2:123456789012:execution:autodump:prod-app',
    job: undefined,
    buckets: ['dumps'],
    retentionDays: 35,
    restoreJob: 'AutoDump-restore',
    scratch: '/scratch',
  },
  secretName: 'prod/app',
  source: { host: 'db.example.com', port: 5432, user: 'dumper', password: 'p', database: 'app' },
  filters: NO_FILTERS,
  parallel: 1,
  assertions: [],
  object: { bucket: 'dumps', key: 'prod/app/app-20261122T080000Z.dmp' },
};

const finished: FinishedDump = {
  database: {
    version: '16.4',
    size: 1_000_000,
    encoding: 'UTF8',
    locale: { provider: 'icu', collate: 'C', ctype: 'C', name: 'de-DE', rules: '&V << w' },
    partitionsDependOn: [],
    moneyLocale: 'de_DE.UTF-8',
    textSettings: { bytea_output: 'hex', quote_all_identifiers: 'off' },
  },
  inventory: {
    tables: [
      {
        oid: 16_385,
        schema: 'public',
        name: 't',
        rows: null,
        bytes: 0,
        partitionOf: { schema: 'public', name: 'All' },
      },
      { oid: 16_386, schema: 'cron', name: 'of an extension', rows: 5, bytes: 8_192, partitionOf: null },
    ],
    extensions: [{ name: 'plpgsql', version: '1.0' }],
    indexBytes: 0,
    largeObjectBytes: 0,
  },
  leftOut: { schemas: ['old'], tables: ['public.log'], rows: [], objectsWithoutSchema: false },
  needs: {
    database: {
      owner: 'app',
      settings: [{ role: null, name: 'app.key', value: null }],
      grants: [{ grantee: null, privilege: 'CONNECT', grantable: false }],
      comment: null,
      connectionLimit: -1,
      securityLabels: [],
      isTemplate: false,
    },
    roles: [
      {
        name: 'app',
        uses: ['ownership', 'settings'],
        login: true,
        inherit: true,
        superuser: false,
        createDatabase: false,
        createRole: false,
        replication: false,
        bypassRowSecurity: false,
        connectionLimit: -1,
        validUntil: null,
        memberOf: [{ role: 'staff', admin: false, inherit: null, set: null }],
        settings: [{ name: 'search_path', value: 'app' }],
        comment: 'of ours',
        securityLabels: [{ provider: 'anon', label: 'MASKED' }],
        parameters: [{ parameter: 'log_statement', privilege: 'SET', grantable: false }],
      },
    ],
    userMappings: null,
    unseen: ['user mappings: permission denied for view pg_user_mappings'],
  },
  client: { pgDump: 'pg_dump', pgRestore: 'pg_restore', version: '16.4', major: 16 },
  result: {
    outcome: 'committed',
    checksums: { bytes: 100, sha256: 'ab'.repeat(32), crc32: 'AAAAAA==' },
    census: {
      tables: [
        { oid: 16_385, schema: 'public', name: 't', count: 7, hash: '00000000000000aa', offset: 90, length: 5 },
        { oid: 16_387, schema: 'public', name: 'new', count: 0, hash: '0000000000000000', offset: 95, length: 5 },
      ],
      largeObjects: { count: 1, bytes: 3, hash: '00000000000000bb' },
    },
    compression: 'zstd:3',
    mode: { mode: 'stream', reason: 'the disk filled up' },
    seconds: { dump: 1.04, proof: 1.23, commit: 2 },
  },
  startedAt: new Date('2026-11-22T08:00:03.210Z'),
  finishedAt: new Date('2026-11-22T08:00:05.432Z'),
};

describe('the JSON Schema of manifests', () => {
  const program = z.toJSONSchema(manifestSchema);
  if (process.env.UPDATE_SNAPSHOT === 'true') {
    writeFileSync(FILE, `${JSON.stringify(program, null, 2)}\n`);
  }
  const schema = JSON.parse(readFileSync(FILE, 'utf8')) as Readonly<Record<string, unknown>>;
  const ajv = new Ajv2020({ formats: { 'date-time': true }, strict: true, allErrors: true });
  const validate = ajv.compile(schema);

  test('matches the schema of the program (UPDATE_SNAPSHOT=true updates it)', () => {
    expect(schema).toEqual(program);
  });

  test.each([
    ['of a finished dump', manifestOf(plan, finished)],
    ['of a recovered dump', recoveredManifest(plan, 100)],
  ])('accepts the manifest %s', (_, manifest) => {
    validate(JSON.parse(JSON.stringify(manifest)));
    expect(validate.errors).toBeNull();
  });

  test.each([
    ['without a proof', { proof: undefined }],
    ['that is not verified', { proof: { ...manifestOf(plan, finished).proof, verified: false } }],
    ['with an invalid SHA-256', { proof: { ...manifestOf(plan, finished).proof, sha256: 'ab' } }],
    ['with an unknown field', { password: 'p' }],
  ])('rejects a manifest %s', (_, change) => {
    expect(validate(JSON.parse(JSON.stringify({ ...manifestOf(plan, finished), ...change })))).toBe(false);
  });
});

test('a manifest contains the duration of each phase, and why a dump was streamed', () => {
  expect(manifestOf(plan, finished)).toMatchObject({
    dump: { way: 'stream', reason: 'the disk filled up' },
    seconds: { dump: 1, proof: 1.2, commit: 2 },
    startedAt: '2026-11-22T08:00:03Z',
    finishedAt: '2026-11-22T08:00:05Z',
  });
});

test('a manifest contains the census beside the estimates, also of tables that only the dump has seen', () => {
  const none = { provenRows: null, contentHash: null, offset: null, length: null };
  const { tables, largeObjects } = manifestOf(plan, finished);
  expect(tables).toEqual([
    {
      ...{ schema: 'public', name: 't', rows: null, bytes: 0 },
      ...{ provenRows: 7, contentHash: '00000000000000aa', offset: 90, length: 5, partitionOf: 'public."All"' },
    },
    { schema: 'cron', name: 'of an extension', rows: 5, bytes: 8_192, ...none },
    {
      ...{ schema: 'public', name: 'new', rows: null, bytes: 0 },
      ...{ provenRows: 0, contentHash: '0000000000000000', offset: 95, length: 5 },
    },
  ]);
  expect(largeObjects).toEqual({ count: 1, bytes: 3, contentHash: '00000000000000bb' });
});
