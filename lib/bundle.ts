import { rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileSystem } from 'aws-cdk-lib';
import { buildSync } from 'esbuild';

/** The project's root folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Bundles a program and all that it imports into one CommonJS file for Node 24, with a source map that its stack
 * traces are read through.
 *
 * The output does not depend on where the project lies or where the bundle goes, so that the same source always makes
 * the same asset.
 *
 * @param source path of the program, relative to the project's root
 * @param file name of the bundled file
 * @param stage makes an asset of the folder that holds the bundle; the folder is gone afterwards, for the asset is a
 *   copy of it
 */
export function withBundle<T>(source: string, file: string, stage: (folder: string) => T): T {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [source],
    // Nothing is written there: the path only anchors those in the source map.
    outfile: join(ROOT, 'bundle', file),
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    inject: ['source-map-support/register.js'],
    // An optional native driver that pg looks for and does without.
    external: ['pg-native'],
    sourcemap: 'linked',
    sourcesContent: false,
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
  });
  const folder = FileSystem.mkdtemp('autodump-');
  try {
    for (const output of outputFiles) {
      writeFileSync(join(folder, basename(output.path)), output.contents);
    }
    return stage(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
