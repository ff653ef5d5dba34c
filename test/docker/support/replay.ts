import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ArchiveReader } from '../../../docker/archive/archive-reader.ts';
import { openS3 } from '../../../docker/aws.ts';
import { type DumpResult, makeDump } from '../../../docker/engine/make-dump.ts';
import { NO_FILTERS } from '../../../docker/postgres/filters/filters.ts';
import { CLIENT_PROGRAMS } from './client-programs.ts';
import { BUCKET, type Stage } from './stage.ts';

const execute = promisify(execFile);

/** An archive that pg_dump wrote, with gzip data, which have a checksum. */
export interface Recording {
  /** As written to a pipe, and to a file before pg_dump rewrites the head. */
  readonly streamed: Buffer;
  /** The complete file. */
  readonly final: Buffer;
  readonly headBytes: number;
}

/**
 * Where the head contains the time of the dump: after the compression, which is a byte since version 1.15, and a number
 * before.
 */
function timeRange(archive: Buffer): [number, number] {
  const from = 11 + (archive.readUInt8(6) >= 15 ? 1 : 5);
  return [from, from + 7 * 5];
}

/** Records the archive of a database. */
export async function record(stage: Stage, database: string): Promise<Recording> {
  const { host, port, user, password } = stage.postgres;
  const env = { PATH: CLIENT_PROGRAMS, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const file = join(folder, 'dump');
  const args = ['--format=custom', '--no-owner', '--compress=1', database];
  await execute('pg_dump', [...args, `--file=${file}`], { env });
  const final = await readFile(file);
  await rm(folder, { recursive: true });
  const { stdout: streamed } = await execute('pg_dump', args, { env, encoding: 'buffer', maxBuffer: 2 ** 28 });
  const [from, to] = timeRange(final);
  final.copy(streamed, from, from, to);
  const reader = new ArchiveReader();
  reader.read(final);
  return { streamed, final, headBytes: reader.end().headBytes };
}

/** Faults to inject while a recording is replayed. All but the first are shell commands. */
export interface ReplayFaults {
  /** What pg_dump writes first, instead of the recording. */
  readonly written?: Buffer;
  /** Runs in pg_dump, at its end. */
  readonly dumped?: string;
  /** A filter between the dump and pg_restore. */
  readonly piped?: string;
  /** Runs when pg_restore has read all of the dump, whose file is `$file`. */
  readonly proven?: string;
}

const PG_DUMP = `#!/bin/sh
for word; do case "$word" in --file=*) file="\${word#--file=}";; esac; done
if [ -n "$file" ] && [ "$MODE" = memory ]; then
  echo 'pg_dump: error: could not write to output file: No space left on device' >&2
  exit 1
elif [ -n "$file" ]; then
  cat "$REPLAYED/written" > "$file"
  head -c "$HEAD_BYTES" "$REPLAYED/final" | dd of="$file" bs=1M conv=notrunc status=none
else
  cat "$REPLAYED/written"
fi
eval "$DUMPED"
`;

const PG_RESTORE = `#!/bin/sh
if [ -n "$PIPED" ]; then eval "$PIPED" | pg_restore "$@"; else pg_restore "$@"; fi || exit
if [ -n "$PROVEN" ]; then
  # pg_restore ends before its input does, and pg_dump may not have rewritten the head yet.
  cat > /dev/null
  for file in "$REPLAYED"/dump-*/dump; do eval "$PROVEN"; done
fi
`;

/**
 * How a recording is replayed: `file` through a file; `memory` streamed because the disk fills up, with small parts,
 * which are held in memory; `disk` streamed because the estimate exceeds the disk, with large parts, which are held on
 * disk.
 */
export type ReplayMode = 'file' | 'memory' | 'disk';

const MORE_THAN_ANY_DISK = 2 ** 62;

/** Replays a recording to the engine as if pg_dump wrote it, with injected faults. */
export class Replayer {
  readonly #recording: Recording;
  readonly #folder: string;
  #count = 0;

  static async create(recording: Recording): Promise<Replayer> {
    const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    await writeFile(join(folder, 'pg_dump'), PG_DUMP, { mode: 0o755 });
    await writeFile(join(folder, 'pg_restore'), PG_RESTORE, { mode: 0o755 });
    return new Replayer(recording, folder);
  }

  private constructor(recording: Recording, folder: string) {
    this.#recording = recording;
    this.#folder = folder;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  /** @throws {Error} the engine's, or one if it has left files behind */
  async replay(
    mode: ReplayMode,
    key: string,
    { written = this.#recording.streamed, dumped = '', piped = '', proven = '' }: ReplayFaults = {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<DumpResult> {
    this.#count += 1;
    const folder = join(this.#folder, `replay-${this.#count}`);
    await mkdir(folder);
    await writeFile(join(folder, 'written'), written);
    await writeFile(join(folder, 'final'), this.#recording.final);
    const options = {
      client: {
        pgDump: join(this.#folder, 'pg_dump'),
        pgRestore: join(this.#folder, 'pg_restore'),
        version: '0',
        major: 0,
      },
      compressionMethod: 'gzip',
      encoding: 'UTF8',
      beforeDump: () => Promise.resolve(() => Promise.resolve()),
      job: undefined,
      environment: {
        PATH: `${CLIENT_PROGRAMS}:${process.env.PATH ?? ''}`,
        LC_ALL: 'C',
        REPLAYED: folder,
        HEAD_BYTES: String(this.#recording.headBytes),
        MODE: mode,
        ...{ DUMPED: dumped, PIPED: piped, PROVEN: proven },
      },
      filters: NO_FILTERS,
      assertions: [],
      folder,
      jobs: 1,
      largeObjectBytes: 0,
      estimate: mode === 'disk' ? MORE_THAN_ANY_DISK : this.#recording.final.length,
    } as const;
    const s3 = openS3('us-west-2');
    try {
      return await makeDump(options, s3, { bucket: BUCKET, key }, signal);
    } finally {
      s3.destroy();
      await rm(join(folder, 'written'));
      await rm(join(folder, 'final'));
      // Fails unless the folder is empty.
      await rmdir(folder);
    }
  }
}
