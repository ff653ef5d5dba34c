import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { InvalidOptions } from '../command-line.ts';
import { printLine } from '../print-line.ts';
import { regionOf } from '../region.ts';
import { PATIENT } from '../retries.ts';
import { runCommand } from '../run-command.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { CdkFailed, undeploy } from './undeploy.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

await runCommand({
  name: 'undeploy',
  unread: 'Run it again to remove the rest.',
  help: HELP,
  parse: parseOptions,
  main,
});

async function main(options: Options): Promise<number> {
  if (!options.force && !(process.stdin.isTTY && process.stdout.isTTY)) {
    throw new InvalidOptions('There is no terminal to confirm at: pass --force to proceed without confirmation.');
  }
  const cloudFormation = new CloudFormationClient(PATIENT);
  const region = await regionOf(cloudFormation);
  await undeploy(options, {
    region,
    cloudFormation,
    eventBridge: new EventBridgeClient(PATIENT),
    stepFunctions: new SFNClient(PATIENT),
    cdk: (cdkArgs) => runCdk(cdkArgs, region),
    confirm,
    report: printLine,
  });
  return 0;
}

/** Runs CDK in the Region of the clients; by itself it may choose another default. */
async function runCdk(args: readonly string[], region: string): Promise<void> {
  const program = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
  const child = spawn(process.execPath, [program, ...args], {
    cwd: ROOT,
    env: { ...process.env, AWS_REGION: region },
    stdio: 'inherit',
  });
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (status !== 0) {
    throw new CdkFailed(`cdk ${String(args[0])} failed: ${signal ?? `exit status ${String(status)}`}.`);
  }
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} (y/N) `)).trim());
  } finally {
    terminal.close();
  }
}
