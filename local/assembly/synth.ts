import { rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Processes } from '../host/processes.ts';
import { REGION } from './template.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A deployment context for a network that nobody has; nothing of it is used here. */
const CONTEXT = {
  vpcId: 'vpc-0a5fd51718cbc523a',
  privateSubnetIds: 'subnet-08b42fcaa8530abaf,subnet-017d971130aaa412a',
  availabilityZones: `${REGION}a,${REGION}b`,
};

/**
 * Runs `cdk synth` on this project.
 *
 * @param output folder to write to
 * @throws {Error} with what `cdk` said
 */
export async function synthesize(output: string, processes: Processes): Promise<void> {
  // What an earlier synth left half written, as the disk was full, would be taken for whole.
  await rm(output, { recursive: true, force: true });
  const cdk = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
  const context = Object.entries(CONTEXT).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  const { child, ended } = processes.start(
    process.execPath,
    [cdk, 'synth', '--quiet', '--no-notices', '--output', output, ...context],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        PATH: [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter),
        CDK_DISABLE_CLI_TELEMETRY: 'true',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const how = await ended;
  if (how.kind !== 'exit' || how.status !== 0) {
    throw new Error(reasonIn(said, output));
  }
  // On AWS no package.json is above the bundles; here one that says "module" is, and would change what they mean.
  await writeFile(join(output, 'package.json'), '{}\n');
}

function reasonIn(said: string, output: string): string {
  return said.includes('ENOSPC')
    ? `No space is left for what cdk synth writes, in ${output} and, for a while, in ${tmpdir()}. Make room, or give another folder with --state-dir.`
    : `cdk synth failed: ${said.replace(/^npm warn .*\n/gm, '').trim()}`;
}
