import type { Census } from '../census/census-taker.ts';
import type { Compression, PostgresClient } from '../postgres/clients.ts';
import type { Filters } from '../postgres/filters/filters.ts';
import type { Checksums } from '../s3/checksum.ts';
import type { Part } from '../s3/part/part.ts';

export interface DumpOptions {
  readonly client: PostgresClient;
  readonly compression: Compression;
  readonly filters: Filters;
  /** PostgreSQL's name of the database's encoding: `UTF8`. */
  readonly encoding: string;
  /** The entire environment of pg_dump and pg_restore: libpq's variables and little more. */
  readonly environment: NodeJS.ProcessEnv;
  /** The Batch job that this run is an attempt of, if any. */
  readonly job: string | undefined;
  /** For temporary files. */
  readonly folder: string;
  /**
   * Called before each start of pg_dump, with the signal of that dump. Returns what to call once it has read all
   * definitions; what that throws ends the dump.
   */
  readonly beforeDump: (signal: AbortSignal) => Promise<() => Promise<void>>;
  /** Upper estimate of the dump's size, in bytes; zero if unknown. */
  readonly estimate: number;
  /** Connections that read rows at the same time. */
  readonly jobs: number;
}

/** Receives the parts of a dump, except the first, which is complete only at the end. */
export interface PartSink {
  /** Whether all parts that were added have been sent. */
  readonly isIdle: boolean;
  /** Queues a part to be sent. */
  add(part: Part): void;
  /** Waits until another part would be sent immediately. */
  room(): Promise<void>;
}

/** State of a dump in progress. */
export interface DumpRun {
  readonly signal: AbortSignal;
  /** Aborts the signal. */
  readonly fail: (reason: unknown) => void;
  /** Called once pg_dump has read all definitions. */
  readonly onceDefined: () => Promise<void>;
  /** Bytes proven so far. */
  proven: number;
  /** Seconds from the start to the end of pg_dump, and to the end of the proof. */
  readonly seconds: { dump: number; proof: number };
}

/** A dump that is proven, and uploaded except for its first part. */
export interface ProvenDump {
  readonly checksums: Checksums;
  readonly census: Census;
  readonly first: Part;
}
