import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { moneySettings } from '../../../../docker/restore/target/money.ts';
import { keyOf, type Outcome, Stage } from '../../support/stage.ts';
import { restore as runRestore } from '../../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  // A byte that is a letter in LATIN1, and no valid UTF-8.
  const text = { SQL_ASCII: `E'gr\\xF6\\xDFer'`, LATIN1: `'größer'`, UTF8: `'größer ☃'` };
  for (const [encoding, value] of Object.entries(text)) {
    await createDatabase(encoding, encoding);
    await stage.query(encoding, `CREATE TABLE t AS SELECT ${value} AS text`);
    expect(await stage.dump(encoding)).toMatchObject({ status: 0, stderr: '' });
  }
});

afterAll(async () => {
  await stage.tearDown();
});

async function createDatabase(name: string, encoding: string, more = `LC_COLLATE 'C' LC_CTYPE 'C'`): Promise<void> {
  await stage.query('postgres', `CREATE DATABASE "${name}" TEMPLATE template0 ENCODING '${encoding}' ${more}`);
}

async function restore(dumped: string, into: string, ...args: readonly string[]): Promise<Outcome> {
  return runRestore(stage, dumped, into, args);
}

test('a manifest has the encoding and the locale of the database', async () => {
  const { source } = await stage.manifestOf(keyOf('LATIN1'));
  expect(source).toMatchObject({
    encoding: 'LATIN1',
    locale: { provider: 'libc', collate: 'C', ctype: 'C', name: null },
  });
});

describe('a restore into a database of another encoding', () => {
  test.each([
    ['SQL_ASCII', 'UTF8', 'those that are not valid in UTF8 would be stored all the same'],
    ['SQL_ASCII', 'LATIN1', 'those that are not valid in LATIN1 would be stored all the same'],
    ['UTF8', 'SQL_ASCII', 'does not know the encoding of its text'],
    ['UTF8', 'LATIN1', 'the server refuses all rows of a table if one of them has a character that LATIN1 lacks'],
  ])('is refused before the download if text may be lost: %s, %s', async (dumped, encoding, problem) => {
    const into = `${dumped} in ${encoding}`;
    await createDatabase(into, encoding);
    const { status, stdout, stderr } = await restore(dumped, into);
    expect(stderr).toContain(problem);
    expect(stderr).toContain(`CREATE DATABASE … TEMPLATE template0 ENCODING '${dumped}'`);
    expect(stdout).not.toContain('Fetching');
    expect(status).toBe(77);
  });

  test('is refused if the server cannot convert the text, even if that is accepted', async () => {
    await createDatabase('LATIN9', 'LATIN9');
    const { status, stdout, stderr } = await restore('LATIN1', 'LATIN9', '--accept-encoding');
    expect(stderr).toContain('the server cannot convert that to LATIN9');
    expect(stdout).not.toContain('Fetching');
    expect(status).toBe(77);
  });

  test('converts the text if the encoding has all characters', async () => {
    await createDatabase('converted', 'UTF8');
    const { status, stdout, stderr } = await restore('LATIN1', 'converted');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Note: the dump is in the encoding LATIN1. The server converts it to UTF8, and refuses');
    expect(await stage.query('converted', 'SELECT text FROM t')).toEqual([{ text: 'größer' }]);
  });

  test('is refused if rows would belong to other partitions', async () => {
    await createDatabase('hashed', 'LATIN1');
    await stage.query(
      'hashed',
      'CREATE TABLE p (k text) PARTITION BY HASH (k)',
      'CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0)',
      'CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1)',
      `INSERT INTO p SELECT 'größe ' || i FROM generate_series(1, 20) i`,
    );
    expect(await stage.dump('hashed')).toMatchObject({ status: 0, stderr: '' });
    expect((await stage.manifestOf(keyOf('hashed'))).source.partitionsDependOn).toEqual(['encoding']);
    await createDatabase('from hashed', 'UTF8');
    const { status, stdout, stderr } = await restore('hashed', 'from hashed');
    expect(stderr).toContain('which has another encoding than the dumped one, rows of tables that are partitioned by');
    expect(stderr).toContain('Restore into a database with the encoding LATIN1 and the locale libc, LC_COLLATE C');
    expect(stdout).not.toContain('Fetching');
    expect(status).toBe(77);
    // With several jobs, the messages about two partitions may be interleaved.
    expect(await restore('hashed', 'from hashed', '--accept-encoding', '--jobs', '1')).toMatchObject({
      status: 77,
      stdout: expect.stringContaining('Warning: this was accepted: '),
      stderr: expect.stringContaining('violates partition constraint'),
    });
    await createDatabase('hashed alike', 'LATIN1');
    expect(await restore('hashed', 'hashed alike')).toMatchObject({ status: 0, stderr: '' });
  });

  test('finds names that the server had to cut', async () => {
    const name = 'ä'.repeat(40);
    await createDatabase('long', 'LATIN1');
    await stage.query('long', `CREATE TABLE "${name}" AS SELECT 1 AS one`);
    expect(await stage.dump('long')).toMatchObject({ status: 0, stderr: '' });
    await createDatabase('from long', 'UTF8');
    expect(await restore('long', 'from long')).toMatchObject({ status: 0, stderr: '' });
    expect(await stage.query('from long', `SELECT one FROM "${name}"`)).toEqual([{ one: 1 }]);
    await createDatabase('as long', 'LATIN1');
    expect(await restore('long', 'as long')).toMatchObject({ status: 0, stderr: '' });
  });

  test('runs if that is accepted', async () => {
    await createDatabase('accepted', 'UTF8');
    const { status, stdout } = await restore('SQL_ASCII', 'accepted', '--accept-encoding');
    expect(stdout).toContain(
      'Warning: the dump is in the encoding SQL_ASCII, and the database in UTF8, which was accepted',
    );
    expect(status).toBe(0);
    await createDatabase('accepted bytes', 'SQL_ASCII');
    expect(await restore('LATIN1', 'accepted bytes', '--accept-encoding')).toMatchObject({ status: 0, stderr: '' });
    expect(await stage.query('accepted', "SELECT encode(text::bytea, 'hex') AS bytes FROM t")).toEqual([
      { bytes: '6772f6df6572' },
    ]);
  });
});

describe('a restore into a database of the same encoding', () => {
  test('keeps bytes of no encoding', async () => {
    await createDatabase('bytes', 'SQL_ASCII');
    const { status, stdout } = await restore('SQL_ASCII', 'bytes');
    expect(stdout).not.toMatch(/^Note: /m);
    expect(status).toBe(0);
    expect(await stage.query('bytes', "SELECT encode(text::bytea, 'hex') AS bytes FROM t")).toEqual([
      { bytes: '6772f6df6572' },
    ]);
  });

  test('is refused if rows would belong to other partitions by its locale', async () => {
    await createDatabase('ranged', 'UTF8', `LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'`);
    await stage.query(
      'ranged',
      'CREATE TABLE p (k text) PARTITION BY RANGE (k)',
      `CREATE TABLE p0 PARTITION OF p FOR VALUES FROM ('a') TO ('m')`,
      `CREATE TABLE listed (k text) PARTITION BY LIST (k)`,
      `INSERT INTO p VALUES ('Banana')`,
    );
    expect(await stage.dump('ranged')).toMatchObject({ status: 0, stderr: '' });
    await createDatabase('from ranged', 'UTF8');
    const { status, stdout, stderr } = await restore('ranged', 'from ranged');
    expect(stderr).toContain('which has another locale than the dumped one');
    expect(stdout).not.toContain('Fetching');
    expect(status).toBe(77);
  });

  test('is refused if rows would belong to other partitions by the case of letters', async () => {
    await createDatabase('lower', 'UTF8', `LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'`);
    await stage.query(
      'lower',
      'CREATE TABLE p (k text) PARTITION BY LIST (lower(k))',
      `CREATE TABLE p0 PARTITION OF p FOR VALUES IN ('ä')`,
      `INSERT INTO p VALUES ('Ä')`,
      'CREATE TABLE by_number (i int) PARTITION BY LIST ((i % 2))',
    );
    expect(await stage.dump('lower')).toMatchObject({ status: 0, stderr: '' });
    await createDatabase('from lower', 'UTF8');
    const { status, stdout, stderr } = await restore('lower', 'from lower');
    expect(stderr).toContain('which has another classification of characters (LC_CTYPE) than the dumped one');
    expect(stdout).not.toContain('Fetching');
    expect(status).toBe(77);
    await createDatabase('like lower', 'UTF8', `LC_COLLATE 'C' LC_CTYPE 'C.utf8'`);
    expect(await restore('lower', 'like lower')).toMatchObject({ status: 0, stderr: '' });
  });

  test('notes that letters may have another case, also in generated columns', async () => {
    await createDatabase('upper', 'UTF8', `LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'`);
    expect(await restore('UTF8', 'upper')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Note: text may be converted to upper and lower case, and matched by patterns,'),
    });
  });

  test.each([
    ['C', 'POSIX'],
    ['C.UTF-8', 'C.utf8'],
  ])('takes locales of the same order for one: %s, %s', async (dumped, collate) => {
    const name = `ordered by ${dumped}`;
    await createDatabase(name, 'UTF8', `LC_COLLATE '${dumped}' LC_CTYPE 'C'`);
    await stage.query(name, 'CREATE TABLE p (k text) PARTITION BY RANGE (k)');
    expect(await stage.dump(name)).toMatchObject({ status: 0, stderr: '' });
    await createDatabase(`as ${name}`, 'UTF8', `LC_COLLATE '${collate}' LC_CTYPE 'C.utf8'`);
    const { status, stdout, stderr } = await restore(name, `as ${name}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).not.toContain('sorted and compared differently');
  });

  test('reads amounts of money by the locale in which they were written', async () => {
    await createDatabase('priced', 'UTF8');
    await stage.query(
      'priced',
      `ALTER DATABASE priced SET lc_monetary = 'C.UTF-8'`,
      'CREATE DOMAIN price AS money',
      'CREATE TABLE prices AS SELECT ARRAY[5::money::price] AS of',
    );
    expect(await stage.dump('priced')).toMatchObject({ status: 0, stderr: '' });
    await createDatabase('from priced', 'UTF8');
    expect(await restore('priced', 'from priced')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Note: the restore sets lc_monetary to C.UTF-8 in its own sessions.'),
    });
  });

  test('is refused if the server does not have the locale of amounts of money', async () => {
    const client = await stage.connect('UTF8');
    try {
      await client.query('BEGIN READ ONLY');
      await expect(moneySettings(client, 'xx_XX', false)).rejects.toThrow(
        "of the locale 'xx_XX', which the server does",
      );
      expect(await moneySettings(client, 'xx_XX', true)).toEqual([]);
    } finally {
      await client.end();
    }
  });

  test('notes another locale', async () => {
    await createDatabase('sorted', 'UTF8', `LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LC_COLLATE 'C' LC_CTYPE 'C'`);
    const { status, stdout } = await restore('UTF8', 'sorted');
    expect(stdout).toContain(
      'Note: text may be sorted and compared, and converted to upper and lower case, and matched by patterns, ' +
        'differently, also in generated columns. The dumped database has the locale libc, LC_COLLATE C, ' +
        'LC_CTYPE C; this one has de-DE of icu, LC_COLLATE C, LC_CTYPE C.',
    );
    expect(status).toBe(0);
  });
});
