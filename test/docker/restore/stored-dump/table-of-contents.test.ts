import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readTableOfContents } from '../../../../docker/restore/stored-dump/table-of-contents.ts';
import { tempFolders } from '../../../support/temp-folder.ts';
import { asRootOnLinux, withSmallDisk } from '../../support/small-disk.ts';

const tempFolder = tempFolders();

function int(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(value < 0 ? 1 : 0);
  bytes.writeUInt32LE(Math.abs(value), 1);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int(value.length), Buffer.from(value)]);
}

const NO_TEXT = int(-1);

function entry(id: number, kind: string, definition: string): readonly Buffer[] {
  const beginning = [int(id), int(0), text('0'), text('0'), text('name'), text(kind), int(1), text(definition)];
  // DROP and COPY statement, schema, tablespace, access method, owner, flag, dependencies; where its data are.
  return [...beginning, ...Array.from({ length: 8 }, () => NO_TEXT), Buffer.alloc(9)];
}

/** A head in version 1.14 of the format, with an entry whose statement has this many characters. */
function headOf(characters: number, { id = 2, kind = 'VIEW' } = {}): Buffer {
  return Buffer.concat([
    Buffer.from('PGDMP\x01\x0e\x00\x04\x08\x01', 'latin1'),
    ...Array.from({ length: 8 }, () => int(0)),
    ...[text('app'), text('15.18'), text('15.18'), int(2)],
    ...entry(1, 'ENCODING', "SET client_encoding = 'UTF8';\n"),
    ...entry(id, kind, 'x'.repeat(characters)),
  ]);
}

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

test.each([100, 7, 1_000_000])(
  'the head is kept to its last byte, and no data, in chunks of %i bytes',
  async (size) => {
    const head = headOf(1000);
    const file = join(tempFolder(), 'head');
    const archive = Buffer.concat([head, Buffer.alloc(3000, 'data')]);
    expect(await readTableOfContents(chunks(archive, size), file)).toMatchObject({ encoding: 'UTF8', head: file });
    expect((await readFile(file)).equals(head)).toBe(true);
  },
);

test('of an entry, no more is kept than a restore needs, since there may be a million', async () => {
  const { entries } = await readTableOfContents(chunks(headOf(10), 100), join(tempFolder(), 'head'));
  expect(entries).toEqual([
    { id: 2, kind: 'VIEW', schemaBytes: '', nameBytes: 'name', definitionBytes: '', dependencies: [] },
  ]);
});

test.each([1, 0, -3])('an entry that has the ID %i is damage', async (id) => {
  await expect(readTableOfContents(chunks(headOf(10, { id }), 100), join(tempFolder(), 'head'))).rejects.toMatchObject({
    reason: 'verificationFailed',
    message: expect.stringContaining(`the ID ${id} in its table of contents is not positive, or two entries have it`),
  });
});

asRootOnLinux('a head that the disk has no room for is never kept in part', async () => {
  await withSmallDisk(async (disk) => {
    const archive = chunks(headOf(3 * 1024 * 1024), 8 * 1024 * 1024);
    await expect(readTableOfContents(archive, join(disk, 'head'))).rejects.toMatchObject({ code: 'ENOSPC' });
  });
});

test('planner statistics are a step of their own, of which only the IDs are kept', async () => {
  const head = headOf(10, { kind: 'STATISTICS DATA' });
  const { entries, steps } = await readTableOfContents(chunks(head, 100), join(tempFolder(), 'head'));
  expect(steps).toMatchObject({ contents: [1], statistics: [2] });
  expect(entries).toEqual([]);
});
