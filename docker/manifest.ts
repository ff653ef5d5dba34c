import type { Checksums } from './checksum.ts';
import type { Compression, PostgresClient } from './clients.ts';
import type { Task } from './environment.ts';
import { restoreCommand, restoreJobCommand } from './restore-command.ts';
import type { Target } from './target.ts';

/** Where a dump lies in S3. */
export interface DumpObject {
  readonly bucket: string;
  readonly key: string;
}

/** What one run is to dump, and where to. */
export interface Plan {
  readonly task: Task;
  readonly target: Target;
  readonly object: DumpObject;
}

/** The object `<key>.json` beside a dump. In a recovered one, what is not known any more is null. */
export interface Manifest {
  readonly manifestVersion: 1;
  readonly secretArn: string;
  readonly execution: string;
  readonly scheduledFor: string;
  /** Host, port and database as the secret says; in a recovered manifest, as it said then. */
  readonly source: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly serverVersion: string | null;
  };
  readonly dump: {
    readonly client: string | null;
    readonly format: 'custom';
    readonly compression: Compression | null;
  };
  readonly object: DumpObject;
  readonly proof: {
    readonly bytes: number;
    readonly sha256: string | null;
    readonly crc64nvme: string | null;
    readonly verified: true;
    /** How it was verified, in whole sentences. */
    readonly method: string;
  };
  /** UTC, RFC 3339, whole seconds. */
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Written by a later attempt than the one that made the dump. */
  readonly recovered: boolean;
  /** Shell command that restores the dump by hand. */
  readonly restore: string;
  /** Shell command that restores the dump by a job of the stack that made it. */
  readonly restoreJob: string;
}

/** What a run knows of the dump that it made. */
export interface Made {
  readonly serverVersion: string;
  readonly client: PostgresClient;
  readonly compression: Compression;
  readonly checksums: Checksums;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

function wholeSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function common({ task, target, object }: Plan) {
  const { host, port, database } = target;
  return {
    manifestVersion: 1,
    secretArn: task.secretArn,
    execution: task.execution,
    scheduledFor: task.scheduledFor,
    source: { host, port, database },
    object,
    restore: restoreCommand(object),
    restoreJob: restoreJobCommand(object, task),
  } as const;
}

/** The manifest of a dump that this run has made, proven and uploaded. */
export function manifestOf(plan: Plan, made: Made): Manifest {
  const { source, ...rest } = common(plan);
  return {
    ...rest,
    source: { ...source, serverVersion: made.serverVersion },
    dump: { client: `pg_dump ${made.client.version}`, format: 'custom', compression: made.compression },
    proof: {
      ...made.checksums,
      verified: true,
      method:
        `Before the upload pg_restore ${made.client.version} read every byte and turned all of it into SQL; the checksums are of those ` +
        'bytes. S3 was given the CRC64NVME of the whole object, and stores nothing that differs.',
    },
    startedAt: wholeSeconds(made.startedAt),
    finishedAt: wholeSeconds(made.finishedAt),
    recovered: false,
  };
}

/** The manifest of a dump that an earlier attempt uploaded without getting to its manifest. */
export function recoveredManifest(plan: Plan, bytes: number): Manifest {
  const { source, ...rest } = common(plan);
  return {
    ...rest,
    source: { ...source, serverVersion: null },
    dump: { client: null, format: 'custom', compression: null },
    proof: {
      bytes,
      sha256: null,
      crc64nvme: null,
      verified: true,
      method:
        'Proven by the earlier attempt that uploaded it: a dump is uploaded only after pg_restore has read every byte of it. ' +
        "Its SHA-256 is in the object's metadata.",
    },
    startedAt: null,
    finishedAt: null,
    recovered: true,
  };
}
