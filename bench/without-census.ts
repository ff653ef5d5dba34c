import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Modules of the dump program, and what is in their place: pg_restore reads every byte and converts all data, as
 * always, but to nowhere, and nothing is counted. So was a dump proven before there was a census.
 */
const REPLACED: Readonly<Record<string, string>> = {
  'docker/engine/run-reading.ts': `
    import { start } from '../process/child.ts';
    export const runReading = (program, args, options) => {
      const toNowhere = args.map((arg) => (arg === '--file=-' ? '--file=/dev/null' : arg));
      const { output, exit } = start(program, toNowhere, options);
      output.resume();
      return exit;
    };`,
  'docker/census/census-taker.ts': `
    export class CensusTaker {
      #ids = [];
      buffer = Buffer.alloc(0);
      expect({ id }) { this.#ids.push(id); }
      get entries() { return this.#ids.map((id) => id + ';\\n').join(''); }
      read() {}
      end() { return { tables: [], largeObjects: { count: 0, bytes: 0, hash: '0'.repeat(16) } }; }
    }`,
};

/** @param replaced receives the path of each module that was replaced */
function replacing(replaced: Set<string>): Plugin {
  return {
    name: 'without-census',
    setup(esbuild) {
      for (const [module, contents] of Object.entries(REPLACED)) {
        const path = join(ROOT, module);
        esbuild.onLoad({ filter: /\.ts$/ }, (args) => {
          if (args.path !== path) {
            return undefined;
          }
          replaced.add(module);
          return { contents, loader: 'js', resolveDir: dirname(path) };
        });
      }
    },
  };
}

/**
 * Bundles the dump program without its census, with which it is compared.
 *
 * @param folder to write to
 * @returns path of the program
 * @throws {Error} if there is no such module any more
 */
export async function bundleWithoutCensus(folder: string): Promise<string> {
  const program = join(folder, 'without-census.cjs');
  const replaced = new Set<string>();
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['docker/main.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    external: ['pg-native'],
    minify: true,
    keepNames: true,
    plugins: [replacing(replaced)],
    logLevel: 'error',
  });
  const missing = Object.keys(REPLACED).filter((module) => !replaced.has(module));
  if (missing.length > 0) {
    throw new Error(`The dump program has no ${missing.join(' and no ')}, so its census cannot be left out.`);
  }
  return program;
}
