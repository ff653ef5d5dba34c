import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  chooseDumpClient,
  chooseRestoreClient,
  clientWarning,
  compressionFor,
  compressionMethodOf,
  compressOption,
  findClients,
  type PostgresClient,
} from '../../../docker/postgres/clients.ts';

function client(version: string): PostgresClient {
  return {
    version,
    major: Number.parseInt(version),
    pgDump: `/${version}/pg_dump`,
    pgRestore: `/${version}/pg_restore`,
  };
}

describe('the client for a server', () => {
  test.each([
    [9, ['16.16', '17.12', '18.7'], '16.16'],
    [15, ['18.7', '16.16', '17.12'], '16.16'],
    [16, ['16.16', '17.12', '18.7'], '16.16'],
    [17, ['16.16', '17.12', '18.7'], '17.12'],
    [18, ['16.16', '17.12', '18.7'], '18.7'],
    [13, ['13.1', '14.2', '15.3'], '15.3'],
    [13, ['15.3', '18.7'], '18.7'],
    [15, ['15.3'], '15.3'],
    [15, ['15.3', '15.4'], '15.3'],
    [15, ['16.17', '16.16'], '16.17'],
  ])('PostgreSQL %d with clients %j is %s', (major, versions, expected) => {
    expect(chooseDumpClient(versions.map(client), major).version).toBe(expected);
  });

  test('is refused if all are older than the server', () => {
    expect(() => chooseDumpClient([client('16.16'), client('15.3')], 17)).toThrow(
      /PostgreSQL 17, and pg_dump must not be older.*has only 16\.16, 15\.3/,
    );
  });

  test('is refused if there is none', () => {
    expect(() => chooseDumpClient([], 17)).toThrow(/no pg_dump/);
  });
});

describe('a version with known vulnerabilities', () => {
  test.each(['16.15', '17.11', '18.6', '18beta1', '17devel'])(
    '%s is refused by name, for dumps and restores',
    (version) => {
      const major = Number.parseInt(version);
      const message = new RegExp(`${version} is refused.*CVE-2026-116314.*install ${major}\\.\\d+ or later.*no other`);
      expect(() => chooseDumpClient([client(version)], major)).toThrow(message);
      expect(() => chooseRestoreClient([client(version)], major)).toThrow(message);
      expect(() => chooseRestoreClient([client(version)], null)).toThrow(message);
    },
  );

  test('does not count if there is another', () => {
    expect(chooseDumpClient([client('16.15'), client('16.16')], 16).version).toBe('16.16');
    expect(chooseDumpClient([client('16.9'), client('17.12')], 16).version).toBe('17.12');
    expect(chooseRestoreClient([client('18.6'), client('17.12')], null).version).toBe('17.12');
  });

  test.each([
    ['15.19', '15.20'],
    ['14.9', '14.25'],
    ['13.23', '14.25'],
  ])('%s, of a major that the image does not have, is used with a warning', (version, replacement) => {
    expect(chooseDumpClient([client(version)], 13).version).toBe(version);
    expect(clientWarning(client(version))).toContain(`install ${replacement} or later`);
  });

  test.each(['14.25', '15.20', '16.16', '16.100', '17.12', '18.7', '19beta1', '20.0'])('is not %s', (version) => {
    expect(chooseDumpClient([client(version)], 13).version).toBe(version);
    expect(clientWarning(client(version))).toBeUndefined();
  });
});

describe('the client for a dump', () => {
  test.each([
    [16, ['16.16', '17.12', '18.7'], '16.16'],
    [17, ['18.7', '16.16', '17.12'], '17.12'],
    [15, ['18.7', '16.16'], '16.16'],
    [null, ['16.16', '18.7', '17.12'], '18.7'],
  ])('of pg_dump %s with clients %j is %s', (major, versions, expected) => {
    expect(chooseRestoreClient(versions.map(client), major).version).toBe(expected);
  });

  test('is refused if all are older', () => {
    expect(() => chooseRestoreClient([client('16.16')], 17)).toThrow(
      /made by pg_dump 17, and pg_restore must not be older.*has only 16\.16/,
    );
    expect(() => chooseRestoreClient([], null)).toThrow(/no pg_restore/);
  });
});

describe('clients on the search path', () => {
  let folder: string;

  async function program(path: string, script: string): Promise<void> {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    await program('debian/pg_dump', 'echo "pg_dump (PostgreSQL) 16.16 (Debian 16.16-1.pgdg13+1)"');
    await program('debian/pg_restore', '');
    await program('beta/pg_dump', 'echo "pg_dump (PostgreSQL) 19beta2"');
    await program('beta/pg_restore', '');
    await program('half/pg_dump', 'echo "pg_dump (PostgreSQL) 17.1"');
    await program('broken/pg_dump', 'exit 127');
    await program('broken/pg_restore', '');
    await program('zstd/pg_dump', 'echo "pg_dump: error: connection to server on socket failed" >&2; exit 1');
    await program(
      'gzip/pg_dump',
      'echo "pg_dump: error: this build does not support compression with ZSTD" >&2; exit 1',
    );
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test('are found if pg_dump runs and pg_restore exists, once per folder', async () => {
    await symlink('debian', join(folder, 'link'));
    const searchPath = ['half', 'debian', 'nothing', 'beta', 'broken', 'debian', 'link']
      .map((name) => join(folder, name))
      .join(':');
    expect(await findClients(`:${searchPath}`)).toEqual([
      {
        version: '16.16',
        major: 16,
        pgDump: join(folder, 'debian/pg_dump'),
        pgRestore: join(folder, 'debian/pg_restore'),
      },
      {
        version: '19beta2',
        major: 19,
        pgDump: join(folder, 'beta/pg_dump'),
        pgRestore: join(folder, 'beta/pg_restore'),
      },
    ]);
  });

  test.each([
    ['zstd', 16, 'zstd'],
    ['gzip', 16, 'gzip'],
    // Not even run, because it does not support the option.
    ['zstd', 15, 'gzip'],
  ] as const)('built with %s, version %d: %s', async (build, major, method) => {
    const pgDump = join(folder, build, 'pg_dump');
    expect(await compressionMethodOf({ ...client(String(major)), pgDump })).toBe(method);
  });
});

test.each([
  ['zstd', 'one', 'zstd:3'],
  ['zstd', 'several', 'zstd:1'],
  ['gzip', 'one', 'gzip:1'],
  ['gzip', 'several', 'gzip:1'],
] as const)('%s compresses what %s connections read as %s', (method, connections, compression) => {
  expect(compressionFor(method, connections)).toBe(compression);
});

test.each([
  ['zstd:3', '--compress=zstd:3'],
  ['zstd:1', '--compress=zstd:1'],
  ['gzip:1', '--compress=1'],
] as const)('%s is the option %s', (compression, option) => {
  expect(compressOption(compression)).toBe(option);
});
