import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { synthesize } from '../../local/assembly/synth.ts';
import { ownEnvironment } from '../../local/host/environment.ts';
import { Processes } from '../../local/host/processes.ts';
import { shared } from './shared.ts';

/** A KMS key outside of the stack. */
export const KEY = 'arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

/** A bucket outside of the stack that secrets may name. */
export const EXTRA_BUCKET = 'elsewhere';

/**
 * The app as the local run synthesizes it, made once for all test files.
 *
 * @returns the folder, which tests must not change
 */
export function synthesizedApp(): Promise<string> {
  return shared('cdk.out', (folder) => synthesize(folder, new Processes()));
}

/**
 * Value of PATH with which `cdk synth` runs an `npx` that links to {@link synthesizedApp}, which saves most of its
 * time. Node.js finds code that it has compiled by the file's real path.
 */
export async function pathOfQuickSynthesis(): Promise<string> {
  const app = await synthesizedApp();
  const programs = await shared('quick-synthesis', async (folder) => {
    await mkdir(folder);
    await writeFile(join(folder, 'npx'), `#!/bin/sh\ncp -R --symbolic-link ${app}/. "$CDK_OUTDIR"\n`, { mode: 0o755 });
  });
  return [programs, process.env.PATH].join(delimiter);
}

/** As {@link synthesizedApp}, with every optional part that has permissions. */
export function synthesizedAppWithOptions(): Promise<string> {
  return shared('cdk.out-with-options', async (folder) => {
    const context = {
      vpcId: 'vpc-0a5fd51718cbc523a',
      privateSubnetIds: 'subnet-08b42fcaa8530abaf,subnet-017d971130aaa412a',
      availabilityZones: 'us-west-2a,us-west-2b',
      extraBucketNames: EXTRA_BUCKET,
      createReadOnlyUser: 'true',
      kmsKeyArn: KEY,
    };
    const cdk = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
    const args = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
    const env = { ...ownEnvironment(), HOME: `${folder}.home` };
    await promisify(execFile)(
      process.execPath,
      [cdk, 'synth', '--quiet', '--no-notices', '--output', folder, ...args],
      { env },
    );
  });
}
