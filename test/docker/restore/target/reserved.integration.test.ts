import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT_STATUS } from '../../../../contract.ts';
import { BUCKET, keyOf, Stage } from '../../support/stage.ts';
import { restore } from '../../support/start-restore.ts';

let stage: Stage;

/** A user that owns the database and nothing else. */
const OWNER = { username: 'owner', password: 'x' };

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.query('postgres', `CREATE ROLE owner LOGIN PASSWORD 'x'`);
});

afterAll(() => stage.tearDown());

describe('what is reserved to superusers', () => {
  const reserved = 'only a superuser (on RDS, a member of rds_superuser) may create';

  beforeAll(async () => {
    await stage.createDatabase(
      'extended by admin',
      'CREATE EXTENSION pg_stat_statements',
      'CREATE EXTENSION hstore',
      'CREATE SCHEMA "Of; ours"',
      'CREATE EXTENSION pg_buffercache SCHEMA "Of; ours"',
      'CREATE TABLE t AS SELECT 1 AS one',
    );
    expect(await stage.dump('extended by admin')).toMatchObject({ status: 0, stderr: '' });
    await stage.createDatabase(
      'administered',
      `CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'`,
      'CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch()',
      'CREATE PUBLICATION "of all" FOR ALL TABLES',
      'CREATE TABLE t ()',
      'CREATE PUBLICATION few FOR TABLE t',
      'CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA public',
    );
    expect(await stage.dump('administered')).toMatchObject({ status: 0, stderr: '' });
  });

  async function createTarget(name: string): Promise<void> {
    await stage.createDatabase(name);
    await stage.query('postgres', `ALTER DATABASE "${name}" OWNER TO owner`);
  }

  test('as extensions is warned of before the download, with the SQL of what to do', async () => {
    await createTarget('to extend');
    const { status, stdout } = await restore(stage, 'extended by admin', 'to extend', [], { secret: OWNER });
    expect(status).toBe(EXIT_STATUS.refused);
    const [before = ''] = stdout.split('Fetching');
    expect(before).toContain(
      `Warning: the dump has extensions that ${reserved}, and the user "owner" is none: extension pg_buffercache, ` +
        'extension pg_stat_statements. They and what depends on them will be refused, unless RDS delegates them to this user',
    );
    expect(await stage.query('to extend', 'SELECT one FROM t')).toEqual([{ one: 1 }]);
    const [, sql = ''] = /have such a user run, in the database, (.*;)/.exec(before) ?? [];
    expect(sql).toBe(
      'CREATE SCHEMA IF NOT EXISTS "Of; ours"; ' +
        'CREATE EXTENSION IF NOT EXISTS "pg_buffercache" WITH SCHEMA "Of; ours"; ' +
        'CREATE EXTENSION IF NOT EXISTS "pg_stat_statements" WITH SCHEMA "public";',
    );
    expect(before).toContain('and restore with --into-non-empty, since the database then has a schema.');
    await createTarget('to extend anew');
    await stage.query('to extend anew', sql);
    expect(
      await restore(stage, 'extended by admin', 'to extend anew', ['--into-non-empty'], { secret: OWNER }),
    ).toMatchObject({ status: 0, stderr: '', stdout: expect.not.stringContaining(reserved) });
  });

  test('as extensions is never advised on in the words of an archive', async () => {
    await stage.createDatabase('crafted', 'CREATE EXTENSION pg_stat_statements');
    expect(await stage.dump('crafted')).toMatchObject({ status: 0, stderr: '' });
    const url = `${stage.s3.endpoint}/${BUCKET}/${keyOf('crafted')}`;
    const dump = Buffer.from(await (await fetch(url)).arrayBuffer());
    const definition = 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA public;';
    dump.write('ALTER ROLE owner SUPERUSER;'.padEnd(definition.length), dump.indexOf(definition));
    await fetch(url, { method: 'PUT', body: dump });
    await createTarget('to deceive');
    const { stdout, stderr } = await restore(stage, 'crafted', 'to deceive', [], { secret: OWNER });
    expect(stdout).toMatch(/run, in the database, CREATE EXTENSION IF NOT EXISTS "pg_stat_statements";\n/);
    expect(stdout + stderr).not.toContain('ALTER ROLE');
  });

  test('does not include extensions that everybody may create', async () => {
    await createTarget('permissive');
    await stage.query(
      'permissive',
      'SET allow_system_table_mods = on',
      `CREATE OR REPLACE VIEW pg_catalog.pg_available_extension_versions AS
         SELECT name, version, false AS installed, false AS superuser, false AS trusted, false AS relocatable,
           NULL::name AS schema, NULL::name[] AS requires, NULL::text AS comment FROM pg_available_extension_versions()`,
    );
    const { stdout } = await restore(stage, 'extended by admin', 'permissive', [], { secret: OWNER });
    expect(stdout).toContain('Fetching');
    expect(stdout).not.toContain(reserved);
  });

  test('as other objects is warned of before the download, and everything else is restored', async () => {
    await createTarget('to administer');
    const { status, stdout } = await restore(stage, 'administered', 'to administer', [], { secret: OWNER });
    expect(stdout).toContain(
      `Warning: the dump has what ${reserved}, and the user "owner" is none: publication "of all", publication tables in ` +
        'schema public."of_schema public", event trigger watch will be refused. To have it, restore as such a user.\n',
    );
    expect(status).toBe(EXIT_STATUS.refused);
    expect(await stage.query('to administer', 'SELECT pubname FROM pg_publication ORDER BY 1')).toEqual([
      { pubname: 'few' },
      { pubname: 'of_schema' },
    ]);
    await createTarget('to administer anew');
    expect(await restore(stage, 'administered', 'to administer anew')).toMatchObject({ status: 0, stderr: '' });
  });

  test('may be created by members of rds_superuser', async () => {
    await createTarget('on RDS');
    await stage.query('postgres', 'CREATE ROLE rds_superuser', 'GRANT rds_superuser TO owner');
    try {
      const { stdout, stderr } = await restore(stage, 'administered', 'on RDS', [], { secret: OWNER });
      expect(stdout).not.toContain(reserved);
      // This server is not RDS, and refuses it itself.
      expect(stderr).toContain('The server refused 3 of the statements');
    } finally {
      await stage.query('postgres', 'DROP ROLE rds_superuser');
    }
  });
});

test('a foreign-data wrapper that the user may not use is warned of before the download, with the grant', async () => {
  const wrappers = ['CREATE EXTENSION postgres_fdw', 'CREATE FOREIGN DATA WRAPPER "of; ours"'];
  await stage.createDatabase(
    'federated',
    ...wrappers,
    `CREATE SERVER "far; away" TYPE 'it''s' VERSION '1' FOREIGN DATA WRAPPER postgres_fdw`,
    `CREATE SERVER near FOREIGN DATA WRAPPER "of; ours" OPTIONS (a 'b')`,
    'CREATE FOREIGN TABLE t (a int) SERVER "far; away"',
  );
  expect(await stage.dump('federated')).toMatchObject({ status: 0, stderr: '' });
  const restoreAfter = async (into: string, ...statements: readonly string[]) => {
    await stage.createDatabase(into, ...wrappers, `ALTER DATABASE "${into}" OWNER TO owner`, ...statements);
    return restore(stage, 'federated', into, ['--into-non-empty'], { secret: OWNER });
  };
  const { stdout } = await restoreAfter('to federate');
  const [before = ''] = stdout.split('Fetching');
  expect(before).toContain('the dump needs: server "far; away", server near and what depends on it will be refused.');
  const [, sql = ''] = /run, in the database, (GRANT USAGE .*;)/.exec(before) ?? [];
  expect(sql).toBe(
    'GRANT USAGE ON FOREIGN DATA WRAPPER "postgres_fdw" TO "owner"; GRANT USAGE ON FOREIGN DATA WRAPPER "of; ours" TO "owner";',
  );
  const { stdout: anew } = await restoreAfter('to federate anew', sql);
  expect(anew).not.toContain('foreign-data wrappers that the dump needs');
  expect(anew).toContain('1 of 1 foreign tables');
});

test('an extension that is in another schema than in the dump is warned of', async () => {
  await stage.createDatabase('with hstore', 'CREATE EXTENSION hstore', 'CREATE TABLE t (h hstore)');
  expect(await stage.dump('with hstore')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('hstore elsewhere', 'CREATE SCHEMA "Ext"', 'CREATE EXTENSION hstore SCHEMA "Ext"');
  const { stdout } = await restore(stage, 'with hstore', 'hstore elsewhere', ['--into-non-empty']);
  expect(stdout).toContain('Warning: the extension "hstore" is in the schema "Ext", and the dump has it in "public".');
  expect(stdout).toContain('run ALTER EXTENSION "hstore" SET SCHEMA "public";');
});

test('an extension that the server does not have is warned of before the download', async () => {
  await stage.createDatabase(
    'with lo',
    'CREATE EXTENSION lo',
    `UPDATE pg_extension SET extname = 'lo_of_yore' WHERE extname = 'lo'`,
  );
  expect(await stage.dump('with lo')).toMatchObject({ status: 0, stderr: '' });
  await stage.createDatabase('without lo');
  const { status, stdout } = await restore(stage, 'with lo', 'without lo');
  expect(stdout).toContain(
    'Warning: the server does not have extension lo_of_yore. What depends on it will be refused',
  );
  expect(status).toBe(EXIT_STATUS.refused);
});
