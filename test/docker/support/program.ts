import { join } from 'node:path';
import { build } from 'esbuild';
import { shared } from '../../support/shared.ts';

/** The dump program in one file, bundled once per test run: it starts in half the time. */
export async function bundledProgram(): Promise<string> {
  const folder = await shared('dump-program', async (outdir) => {
    await build({
      entryPoints: ['docker/main.ts'],
      outdir,
      bundle: true,
      platform: 'node',
      mainFields: ['module', 'main'],
      target: 'node24',
      external: ['pg-native'],
      logLevel: 'error',
    });
  });
  return join(folder, 'main.js');
}
