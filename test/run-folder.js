import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { WITHOUT_AWS } from '../local/host/environment.ts';

/** File system in memory of Linux, in which a server's thousand files are created in a fraction of the time. */
const MEMORY = '/dev/shm';

/** Bytes that it must have left. Containers often give it 64 MiB. */
const NEEDED = 4 * 2 ** 30;

/** Variables by which the caller's AWS, proxy or PostgreSQL server would be reached. */
const OF_OTHERS = /^AWS_|^PG[A-Z]|_proxy$|^NODE_USE_ENV_PROXY$/i;

/**
 * Jest global setup: creates a folder that all test files of a run share, and removes it when the run is over. All
 * temporary files of tests are in memory where that is possible, unless TMPDIR says where they belong. Nothing that
 * tests start reaches AWS, or any other server that the caller's environment names.
 */
export default function createRunFolder() {
  for (const name of Object.keys(process.env).filter((each) => OF_OTHERS.test(each))) {
    Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, WITHOUT_AWS);
  if (process.env.TMPDIR === undefined && isMemoryUsable()) {
    process.env.TMPDIR = MEMORY;
  }
  const folder = mkdtempSync(join(tmpdir(), 'autodump-test-run-'));
  // As root, PostgreSQL servers run as another user.
  chmodSync(folder, 0o711);
  process.env.TEST_RUN_FOLDER = folder;
  // The programs that tests start load their code faster.
  process.env.NODE_COMPILE_CACHE ??= join(folder, 'compile-cache');
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Whether there is enough of it, and it may hold programs. */
function isMemoryUsable() {
  let folder;
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    folder = mkdtempSync(join(MEMORY, 'autodump-test-run-'));
    const program = join(folder, 'program');
    writeFileSync(program, '', { mode: 0o700 });
    accessSync(program, constants.X_OK);
    return bavail * bsize >= NEEDED;
  } catch {
    return false;
  } finally {
    if (folder !== undefined) {
      rmSync(folder, { recursive: true });
    }
  }
}
