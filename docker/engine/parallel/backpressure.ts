import { setTimeout } from 'node:timers/promises';
import { freeSpace } from '../../disk.ts';
import { log } from '../../log.ts';
import { formatBytes } from '../../progress.ts';
import type { DumpFolder } from './data-block.ts';
import { type Worker, workersOf } from './workers.ts';

/** What the disk and the dump are like. */
export interface DiskState {
  /** Bytes of the disk that were free when the dump began. */
  readonly freeAtStart: number;
  readonly free: number;
  /** ID of the entry of the table that is sent while it is being written, if any. */
  readonly sentTable: number | undefined;
  /** Whether nothing is left to prove or to send until more has been written. */
  readonly isIdle: boolean;
}

/**
 * Decides which workers wait. Tables can be sent only one after another, so when half of the disk is occupied, only the
 * worker whose table is being sent goes on. When three quarters are, because the worker is faster than S3, it waits,
 * too, until everything has been sent: so there is always one that goes on.
 */
export function heldBack(
  { freeAtStart, free, sentTable, isIdle }: DiskState,
  workers: readonly Worker[],
): readonly Worker[] {
  if (free >= freeAtStart / 2) {
    return [];
  }
  if (free < freeAtStart / 4 && !isIdle) {
    return workers;
  }
  return sentTable === undefined ? [] : workers.filter(({ table }) => table !== sentTable);
}

/** A dump with several connections, as it goes on. */
interface RunningDump {
  /** Process ID of pg_dump. */
  readonly pid: number;
  readonly folder: DumpFolder;
  readonly freeAtStart: number;
  readonly progress: () => Pick<DiskState, 'sentTable'> & {
    /** Bytes proven so far. */
    readonly proven: number;
    /** Whether all of them have been sent, as far as parts were complete. */
    readonly isSent: boolean;
  };
}

/** Interval between looks at the disk. */
const LOOK_MS = 200;

/**
 * Stops and continues the workers of pg_dump, so that a dump can be larger than the disk that it goes through. For the
 * server, a worker that waits is a slow client.
 *
 * @param ended aborts when pg_dump has ended or is to end
 */
export async function holdBack({ pid, folder, freeAtStart, progress }: RunningDump, ended: AbortSignal): Promise<void> {
  let stopped: readonly Worker[] = [];
  let provenBefore = -1;
  let isReported = false;
  while (!ended.aborted) {
    const free = await freeSpace(folder.path);
    if (free < freeAtStart / 2 || stopped.length > 0) {
      const workers = await workersOf(pid, folder);
      const { sentTable, proven, isSent } = progress();
      const isIdle = isSent && proven === provenBefore;
      provenBefore = proven;
      stopped = heldBack({ freeAtStart, free, sentTable, isIdle }, workers);
      for (const worker of workers) {
        send(stopped.includes(worker) ? 'SIGSTOP' : 'SIGCONT', worker);
      }
    }
    if (stopped.length > 0 && !isReported) {
      log(`Only ${formatBytes(free)} of the disk are free: connections wait until more has been uploaded.`);
      isReported = true;
    }
    // Its only error is that pg_dump has ended.
    await setTimeout(LOOK_MS, undefined, { signal: ended }).catch(() => undefined);
  }
}

function send(signal: NodeJS.Signals, { pid }: Worker): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
