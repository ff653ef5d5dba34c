import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findClients } from '../../bench/clients.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-clients-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** @returns a folder with client programs of a version */
async function clients(name: string, version: string): Promise<string> {
  const own = join(folder, name);
  await mkdir(own);
  for (const program of ['pg_dump', 'pg_restore']) {
    await writeFile(join(own, program), `#!/bin/sh\necho '${program} (PostgreSQL) ${version}'\n`);
    await chmod(join(own, program), 0o755);
  }
  return own;
}

test('the folder that is given comes before the PATH', async () => {
  const [own, other] = [await clients('own', '17.12'), await clients('other', '16.16')];
  const { programs, path } = await findClients(own, other);
  expect(programs.map(({ version }) => version)).toEqual(['17.12', '16.16']);
  expect(path).toBe(`${own}${delimiter}${other}`);
});

test('a folder without client programs is refused by name', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  await expect(findClients(empty, await clients('present', '17.12'))).rejects.toThrow(
    `--client-path ${empty} has no pg_dump and pg_restore: give the folder that they are in.`,
  );
});

test('behind wrappers of Debian, client programs are found', async () => {
  const wrappers = await clients('wrappers', '15.20');
  const wrapper = join(folder, 'pg_wrapper');
  await writeFile(wrapper, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  for (const program of ['pg_dump', 'pg_restore']) {
    await rm(join(wrappers, program));
    await symlink(wrapper, join(wrappers, program));
  }
  const { programs, path } = await findClients(undefined, wrappers);
  expect(programs).toHaveLength(1);
  expect(path).toBe(`${programs[0]?.folder ?? ''}${delimiter}${wrappers}`);
});
