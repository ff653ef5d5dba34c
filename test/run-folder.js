import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Jest global setup: creates a folder that all test files of a run share, and removes it when the run is over. */
export default function createRunFolder() {
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
