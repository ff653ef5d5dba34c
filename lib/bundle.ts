import { rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileSystem } from 'aws-cdk-lib';
import { buildSync, type OutputFile } from 'esbuild';

/** The project's root folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** By source. Two images have the same program. */
const bundles = new Map<string, readonly OutputFile[]>();

/**
 * Bundles a program and everything that it imports into one CommonJS file for Node 24, with a source map that is
 * applied to its stack traces.
 *
 * The output depends neither on the project's location nor on the output folder, so that the same source always yields
 * the same asset.
 *
 * @param source path of the program, relative to the project's root
 * @param file name of the bundled file
 * @param stage makes an asset from the folder that holds the bundle, which is deleted afterwards: the asset is a copy
 */
export function withBundle<T>(source: string, file: string, stage: (folder: string) => T): T {
  const outputFiles = bundles.get(source) ?? bundle(source, file);
  bundles.set(source, outputFiles);
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

function bundle(source: string, file: string): readonly OutputFile[] {
  return buildSync({
    absWorkingDir: ROOT,
    entryPoints: [source],
    // Not written to: only the base of the relative paths in the source map.
    outfile: join(ROOT, 'bundle', file),
    write: false,
    bundle: true,
    platform: 'node',
    // ES modules where a package has them: only what is used of the AWS SDK is bundled, and loaded at every start.
    mainFields: ['module', 'main'],
    target: 'node24',
    format: 'cjs',
    inject: ['source-map-support/register.js'],
    // An optional native driver of pg.
    external: ['pg-native'],
    sourcemap: 'linked',
    sourcesContent: false,
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
  }).outputFiles;
}
