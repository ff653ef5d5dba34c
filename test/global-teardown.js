import { rmSync } from 'node:fs';
import process from 'node:process';

/** Removes the folder that `global-setup.js` created. */
export default function tearDown() {
  rmSync(process.env.AUTODUMP_TEST_SHARED ?? '', { recursive: true });
}
