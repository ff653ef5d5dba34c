import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';

/**
 * Synthesizes with empty bundles, for tests that only look at the template: bundling takes nearly all of the time. A
 * test that imports this must not import `synthesize.ts` or `lib` itself, which would load the real bundler first.
 */
jest.unstable_mockModule('../../lib/bundle.ts', () => ({
  ROOT: process.cwd(),
  withBundle: <T>(source: string, file: string, stage: (folder: string) => T): T => {
    const folder = mkdtempSync(join(tmpdir(), 'autodump-test-'));
    try {
      writeFileSync(join(folder, file), `// ${source}\n`);
      return stage(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
}));

export const { makeApp, makeStack, resourcesOf, synthesize } = await import('./synthesize.ts');
export const { readContext } = await import('../../lib/context.ts');
