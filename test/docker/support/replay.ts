import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ArchiveReader } from '../../../docker/engine/archive-reader.ts';
import { makeDump, type Product } from '../../../docker/engine/make-dump.ts';
import { BUCKET, type Stage } from './stage.ts';

const execute = promisify(execFile);

/** An archive as pg_dump wrote it, with data that have gzip's checksum. */
export interface Recording {
  /** As it is sent through a pipe, and as a file has it before its head is rewritten. */
  readonly streamed: Buffer;
  /** As a file has it in the end. */
  readonly final: Buffer;
  readonly headBytes: number;
}

/** Where the head has the time of the dump: behind compression, a byte from version 1.15 on, a number before. */
function timeOf(archive: Buffer): [number, number] {
  const from = 11 + (archive.readUInt8(6) >= 15 ? 1 : 5);
  return [from, from + 7 * 5];
}

export async function record(stage: Stage, database: string): Promise<Recording> {
  const { host, port, user, password } = stage.postgres;
  const env = { PATH: process.env.PATH, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const file = join(folder, 'dump');
  const args = ['--format=custom', '--no-owner', '--compress=1', database];
  await execute('pg_dump', [...args, `--file=${file}`], { env });
  const final = await readFile(file);
  await rm(folder, { recursive: true });
  const { stdout: streamed } = await execute('pg_dump', args, { env, encoding: 'buffer', maxBuffer: 2 ** 28 });
  const [from, to] = timeOf(final);
  final.copy(streamed, from, from, to);
  const reader = new ArchiveReader();
  reader.read(final);
  return { streamed, final, headBytes: reader.end().headBytes };
}

/** What goes wrong while a recording is played. All of it is shell. */
export interface Mishap {
  /** What pg_dump writes first, in place of the recording. */
  readonly written?: Buffer;
  /** What pg_dump does in the end. */
  readonly dumped?: string;
  /** What is done between the dump and pg_restore, as a filter. */
  readonly piped?: string;
  /** What is done to the file `$file` of the dump when pg_restore has read all of it. */
  readonly proven?: string;
}

const PG_DUMP = `#!/bin/sh
for word; do case "$word" in --file=*) file="\${word#--file=}";; esac; done
if [ -n "$file" ] && [ "$WAY" = memory ]; then
  echo 'pg_dump: error: could not write to output file: No space left on device' >&2
  exit 1
elif [ -n "$file" ]; then
  cat "$PLAYED/written" > "$file"
  head -c "$HEAD_BYTES" "$PLAYED/final" | dd of="$file" bs=1M conv=notrunc status=none
else
  cat "$PLAYED/written"
fi
eval "$DUMPED"
`;

const PG_RESTORE = `#!/bin/sh
if [ -n "$PIPED" ]; then eval "$PIPED" | pg_restore "$@"; else pg_restore "$@"; fi || exit
for file in "$PLAYED"/dump-*/dump; do eval "$PROVEN"; done
`;

/**
 * Through a file; streamed as the disk is full, with small parts, which are held in memory; or streamed as more than the
 * disk has room for is expected, with large parts, which are held on disk.
 */
export type PlayedWay = 'file' | 'memory' | 'disk';

const MORE_THAN_ANY_DISK = 2 ** 62;

/** Plays a recording to the engine, as pg_dump would write it, with a mishap. */
export class Player {
  readonly #recording: Recording;
  readonly #folder: string;
  #count = 0;

  static async make(recording: Recording): Promise<Player> {
    const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    await writeFile(join(folder, 'pg_dump'), PG_DUMP, { mode: 0o755 });
    await writeFile(join(folder, 'pg_restore'), PG_RESTORE, { mode: 0o755 });
    return new Player(recording, folder);
  }

  private constructor(recording: Recording, folder: string) {
    this.#recording = recording;
    this.#folder = folder;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  /** @returns what became of it under that key, the folder of the dump being empty again */
  async play(
    way: PlayedWay,
    key: string,
    { written = this.#recording.streamed, dumped = '', piped = '', proven = '' }: Mishap = {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Product> {
    this.#count += 1;
    const folder = join(this.#folder, `played-${this.#count}`);
    await mkdir(folder);
    await writeFile(join(folder, 'written'), written);
    await writeFile(join(folder, 'final'), this.#recording.final);
    const order = {
      client: {
        pgDump: join(this.#folder, 'pg_dump'),
        pgRestore: join(this.#folder, 'pg_restore'),
        version: '0',
        major: 0,
      },
      compression: 'gzip:1',
      environment: {
        PATH: process.env.PATH,
        LC_ALL: 'C',
        PLAYED: folder,
        HEAD_BYTES: String(this.#recording.headBytes),
        WAY: way,
        ...{ DUMPED: dumped, PIPED: piped, PROVEN: proven },
      },
      folder,
      estimate: way === 'disk' ? MORE_THAN_ANY_DISK : this.#recording.final.length,
    } as const;
    try {
      return await makeDump(order, { bucket: BUCKET, key }, 'us-west-2', signal);
    } finally {
      await rm(join(folder, 'written'));
      await rm(join(folder, 'final'));
      // Fails if anything is left.
      await execute('rmdir', [folder]);
    }
  }
}
