import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownEnvironment } from '../host/environment.ts';
import type { Processes } from '../host/processes.ts';
import { REGION } from './account.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The stack requires a network. This one does not exist, and nothing here connects to it. */
const CONTEXT = {
  vpcId: 'vpc-0a5fd51718cbc523a',
  privateSubnetIds: 'subnet-08b42fcaa8530abaf,subnet-017d971130aaa412a',
  availabilityZones: `${REGION}a,${REGION}b`,
};

/** `cdk synth` failed. The message contains its output. */
export class SynthesisFailed extends Error {
  override readonly name = 'SynthesisFailed';
}

/**
 * Runs `cdk synth` on this project.
 *
 * @param output folder to write to; replaced if it exists
 * @throws {SynthesisFailed} if it fails
 */
export async function synthesize(output: string, processes: Processes): Promise<void> {
  // An earlier synth may have left incomplete assets, for example on a full disk; cdk would reuse them.
  await rm(output, { recursive: true, force: true });
  const cdk = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
  const context = Object.entries(CONTEXT).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  const home = `${output}.home`;
  await rm(home, { recursive: true, force: true });
  await mkdir(home);
  try {
    // CDK's rules for templates take a third of the time, and matter when the app is deployed.
    const args = [cdk, 'synth', '--quiet', '--no-notices', '--no-validation', '--output', output, ...context];
    const env = synthEnvironment(home);
    const { child, ended } = processes.start(process.execPath, args, {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (log += text));
    }
    const end = await ended;
    if (end.kind !== 'exit' || end.status !== 0) {
      throw new SynthesisFailed(failureReason(log, output));
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
  // On AWS there is no package.json above the bundles. Here there is, and its `"type": "module"` would break them.
  await writeFile(join(output, 'package.json'), '{}\n');
}

/**
 * CDK would ask AWS whose credentials it finds, so it finds none. Nor does it, or the npm that it runs, report to
 * anyone or look for a newer version of itself.
 *
 * @param home replaces the home folder, with its `.cdk.json`, `.npmrc` and caches, and that for temporary files, which
 * remain if it is interrupted. Only the code that Node.js has compiled is kept, since that saves a second
 */
function synthEnvironment(home: string): NodeJS.ProcessEnv {
  return {
    ...ownEnvironment(),
    HOME: home,
    TMPDIR: home,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache'),
    PATH: [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter),
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
    npm_config_update_notifier: 'false',
    npm_config_offline: 'true',
  };
}

function failureReason(log: string, output: string): string {
  return log.includes('ENOSPC')
    ? `No space left for the output of cdk synth in ${output}. Free some space.`
    : `cdk synth failed: ${log.replace(/^npm warn .*\n/gm, '').trim()}`;
}
