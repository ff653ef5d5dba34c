import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findClients, type PostgresClient } from '../../../docker/postgres/clients.ts';
import { shared } from '../../support/shared.ts';
import { CLIENT_PROGRAMS } from './client-programs.ts';
import { makeParallel } from './make-parallel.ts';
import type { Stage } from './stage.ts';

const execute = promisify(execFile);

/** What pg_dump wrote into a folder, with gzip data, which have a checksum, and its messages. */
export interface DirectoryRecording {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly messages: string;
  /** The programs that replay it. */
  readonly client: PostgresClient;
}

/** Records the dump of a database by several connections. */
export async function recordDirectory(stage: Stage, database: string): Promise<DirectoryRecording> {
  const { host, port, user, password } = stage.postgres;
  const env = { PATH: CLIENT_PROGRAMS, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const path = join(folder, 'dump');
  const args = [
    '--format=directory',
    '--no-owner',
    '--compress=1',
    '--jobs=2',
    '--verbose',
    `--file=${path}`,
    database,
  ];
  const { stderr: messages } = await execute('pg_dump', args, { env });
  const names = await readdir(path);
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(path, name))] as const));
  await rm(folder, { recursive: true });
  // Not for each replay: while a program is being written, a process that is just being started for another replay may
  // have it open, too, and the system runs no program that is open for writing.
  const programs = await shared('directory-replay', async (created) => {
    await mkdir(created);
    await writeFile(join(created, 'pg_dump'), PG_DUMP, { mode: 0o755 });
    await writeFile(join(created, 'pg_restore'), PG_RESTORE, { mode: 0o755 });
  });
  const [{ major } = { major: 0 }] = await findClients(CLIENT_PROGRAMS);
  const client = { pgDump: join(programs, 'pg_dump'), pgRestore: join(programs, 'pg_restore'), version: '0', major };
  return { files: new Map(files), messages, client };
}

/** Prints the messages when all files are there. One that grows gets its last byte once its beginning was freed. */
const PG_DUMP = `#!/bin/sh
for word; do case "$word" in --file=*) folder="\${word#--file=}";; esac; done
if [ "$GROWING" ]; then
  mv "$REPLAYED/files/$GROWING" "$REPLAYED/grown"
  file="$folder/$GROWING"
  head -c -1 "$REPLAYED/grown" > "$file"
  blocks() { stat -c %b "$file"; }
  before=$(blocks)
  looks=0
  until [ "$(blocks)" -lt "$before" ]; do sleep 0.05; looks=$((looks + 1)); [ $looks -lt 1200 ] || exit 3; done
  eval "$GREW"
  tail -c 1 "$REPLAYED/grown" >> "$file"
fi
cp "$REPLAYED"/files/* "$folder"
cat "$REPLAYED/messages" >&2
eval "$DUMPED"
`;

/** The head is proven last. */
const PG_RESTORE = `#!/bin/sh
pg_restore "$@" || exit
case "$*" in *--schema-only*) cat > /dev/null; cd "$REPLAYED/../engine"/dump-*/data && eval "$PROVEN";; esac
`;

/** Faults to inject while a recording is replayed. */
export interface DirectoryFaults {
  /** Name of a file that is complete only after its beginning was freed. */
  readonly growing?: string;
  /** A shell command that runs in pg_dump when the beginning of that file was freed; the file is `$file`. */
  readonly grew?: string;
  /** A shell command that runs in pg_dump, at its end. */
  readonly dumped?: string;
  /** A shell command that runs in the folder with the data when everything is proven. */
  readonly proven?: string;
}

/** Replays a recording to the engine as if pg_dump wrote it, with injected faults. */
export async function replayDirectory(
  stage: Stage,
  key: string,
  { files, messages, client }: DirectoryRecording,
  { growing = '', grew = '', dumped = '', proven = '' }: DirectoryFaults = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const replayed = join(folder, 'replayed');
  try {
    await mkdir(join(replayed, 'files'), { recursive: true });
    await mkdir(join(folder, 'engine'));
    await Promise.all([...files].map(([name, bytes]) => writeFile(join(replayed, 'files', name), bytes)));
    await writeFile(join(replayed, 'messages'), messages);
    await makeParallel(stage, 'postgres', key, {
      client,
      compressionMethod: 'gzip',
      environment: {
        PATH: `${CLIENT_PROGRAMS}:${process.env.PATH ?? ''}`,
        LC_ALL: 'C',
        ...{ REPLAYED: replayed, GROWING: growing, GREW: grew, DUMPED: dumped, PROVEN: proven },
      },
      folder: join(folder, 'engine'),
    });
  } finally {
    // Nothing is left behind.
    await rmdir(join(folder, 'engine'));
    await rm(folder, { recursive: true });
  }
}
