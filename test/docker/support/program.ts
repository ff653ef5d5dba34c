import { join } from 'node:path';
import { build } from 'esbuild';
import { shared } from '../../support/shared.ts';

/** Files of the dump program. */
export interface Bundles {
  readonly main: string;
  /** Runs one command after another, as its parent asks it to. */
  readonly resident: string;
}

/** The dump program in one file, bundled once per test run: it starts in half the time. */
export async function bundledProgram(): Promise<Bundles> {
  const folder = await shared('dump-program', async (outdir) => {
    await build({
      entryPoints: { main: 'docker/main.ts', resident: 'test/docker/support/resident-program.ts' },
      outdir,
      bundle: true,
      platform: 'node',
      mainFields: ['module', 'main'],
      target: 'node24',
      external: ['pg-native'],
      logLevel: 'error',
    });
  });
  return { main: join(folder, 'main.js'), resident: join(folder, 'resident.js') };
}
