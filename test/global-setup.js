import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Creates the folder in which test files share what is slow to make; see `support/shared.ts`. */
export default function setUp() {
  process.env.AUTODUMP_TEST_SHARED = mkdtempSync(join(tmpdir(), 'autodump-shared-'));
}
