import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { HELP, InvalidOptions, parseOptions } from './options.ts';
import { StackNotFound } from './stack.ts';
import { CdkFailed, NotConfirmed, undeploy } from './undeploy.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXIT = { failed: 1, misuse: 2, SIGPIPE: 141 } as const;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const message = `The output cannot be written, so undeploy stopped: ${error.message}. Run it again to remove the rest.\n`;
    process.stderr.write(message, () => process.exit(error.code === 'EPIPE' ? EXIT.SIGPIPE : EXIT.failed));
  });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = error instanceof InvalidOptions ? EXIT.misuse : EXIT.failed;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  if (!options.force && !(process.stdin.isTTY && process.stdout.isTTY)) {
    throw new InvalidOptions('There is no terminal to confirm at: pass --force to proceed without confirmation.');
  }
  const retries = { retryMode: 'adaptive', maxAttempts: 10 };
  const cloudFormation = new CloudFormationClient(retries);
  const region = await regionOf(cloudFormation);
  await undeploy(options, {
    region,
    cloudFormation,
    eventBridge: new EventBridgeClient(retries),
    stepFunctions: new SFNClient(retries),
    cdk: (args) => runCdk(args, region),
    confirm,
    report: (line) => {
      process.stdout.write(`${line}\n`);
    },
  });
}

/** @throws {Error} if no Region is set */
async function regionOf({ config }: CloudFormationClient): Promise<string> {
  try {
    return await config.region();
  } catch (error) {
    throw new Error('No Region is set: set AWS_REGION, or a Region in your AWS profile.', { cause: error });
  }
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

function explain(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  if ([InvalidOptions, StackNotFound, NotConfirmed, CdkFailed].some((kind) => error instanceof kind)) {
    return error.message;
  }
  if (error.name === 'CredentialsProviderError') {
    return `No AWS credentials were found. Set AWS_PROFILE, or sign in as for the AWS CLI. (${error.message})`;
  }
  return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
}
