import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type DumpFolder, tableIn } from '../data-block.ts';

/** A process of pg_dump that dumps one table after another. */
export interface Worker {
  readonly pid: number;
  /** ID of the entry of the table that it is writing, if any. */
  readonly table: number | undefined;
}

/** Whether the workers of pg_dump can be found: only where Linux lists the children of a process. */
export async function canListWorkers(): Promise<boolean> {
  return readFile(childrenOf(process.pid)).then(
    () => true,
    () => false,
  );
}

function childrenOf(pid: number): string {
  return `/proc/${pid}/task/${pid}/children`;
}

/** @param leader process ID of pg_dump @returns its workers: none if it has ended */
export async function workersOf(leader: number, folder: DumpFolder): Promise<readonly Worker[]> {
  const children = await readFile(childrenOf(leader), 'utf8').catch(() => '');
  const pids = children.split(' ').filter((pid) => pid !== '');
  return Promise.all(pids.map(async (pid) => ({ pid: Number(pid), table: await tableOf(pid, folder) })));
}

async function tableOf(pid: string, folder: DumpFolder): Promise<number | undefined> {
  const open = `/proc/${pid}/fd`;
  // It may have ended, or closed a file, in the meantime.
  const descriptors = await readdir(open).catch(() => []);
  const paths = await Promise.all(descriptors.map((each) => readlink(join(open, each)).catch(() => '')));
  const files = paths.filter((path) => path.startsWith(`${folder.path}/`));
  return files.map((path) => tableIn(path.slice(folder.path.length + 1), folder)).find((id) => id !== undefined);
}
