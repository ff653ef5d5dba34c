import { setTimeout } from 'node:timers/promises';
import { freeSpace } from '../../../disk.ts';
import { log } from '../../../log.ts';
import { formatBytes } from '../../../progress.ts';
import type { DumpFolder } from '../data-block.ts';
import { type Worker, workersOf } from './workers.ts';

/** The state of the disk and of the dump. */
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
 * Decides which workers wait. Tables can be sent only one after another, so when half of what was free is occupied,
 * only the worker whose table is being sent goes on. When three quarters are, because it is faster than S3, it waits,
 * too, until everything has been sent. If there is no such worker, nobody waits for it: it may have failed, which
 * pg_dump reports only after it has ended all others, or be about to say that its table is finished.
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
  const others = workers.filter(({ table }) => table !== sentTable);
  return sentTable === undefined || others.length === workers.length ? [] : others;
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
 * server, a worker that waits is a slow client. If this program is killed, they remain as they are, and with them their
 * transactions, unless they end with their container.
 *
 * @param ended aborts when pg_dump has ended or is to end
 */
export async function holdBack({ pid, folder, freeAtStart, progress }: RunningDump, ended: AbortSignal): Promise<void> {
  let stopped: readonly Worker[] = [];
  let provenBefore = -1;
  let isReported = false;
  const isOver = () => ended.aborted;
  while (!isOver()) {
    const free = await freeSpace(folder.path);
    if (free < freeAtStart / 2 || stopped.length > 0) {
      const workers = await workersOf(pid, folder);
      if (isOver()) {
        return;
      }
      const { sentTable, proven, isSent } = progress();
      const isIdle = isSent && proven === provenBefore;
      provenBefore = proven;
      stopped = heldBack({ freeAtStart, free, sentTable, isIdle }, workers);
      for (const worker of workers) {
        send(stopped.includes(worker) ? 'SIGSTOP' : 'SIGCONT', worker);
      }
    }
    if (stopped.length > 0 && !isReported) {
      log(`Only ${formatBytes(free)} of the disk is free: connections wait until more has been uploaded.`);
      isReported = true;
    }
    // Rejects only when that has aborted.
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
