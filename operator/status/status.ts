import { open } from 'node:fs/promises';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { S3Client } from '@aws-sdk/client-s3';
import { type Status, STATUS_PAGE_KEY, TROUBLE } from '../../contract.ts';
import { CommandError } from '../command-error.ts';
import { readStackOutputs } from '../stack.ts';
import type { Options } from './options.ts';
import { readObject, readStatus } from './read-status.ts';
import { distance, type Paint, reportOf } from './report.ts';

/** A check that is missing may have been throttled, and is made up for by the next one. */
const MAX_PERIODS = 2;

/** Of a file's mode: its owner may read and write it, and nobody else. */
const PRIVATE = 0o600;

export interface Environment {
  readonly cloudFormation: CloudFormationClient;
  readonly s3: S3Client;
  readonly now: Date;
  readonly paint: Paint;
  /** Of the terminal, in characters. */
  readonly width: number;
  /** Prints a line. */
  readonly report: (line: string) => void;
  /** Prints a line of its own about something that is wrong. */
  readonly warn: (line: string) => void;
}

/**
 * Shows the status.
 *
 * @returns exit status: see HELP
 * @throws {CommandError} if there is no stack, no status or no such secret
 */
export async function showStatus({ secrets, stack, json, html }: Options, environment: Environment): Promise<number> {
  const { cloudFormation, s3, now, paint, width, report, warn } = environment;
  const { StatusBucketName: bucket } = await readStackOutputs(cloudFormation, ['StatusBucketName'], stack);
  const all = await readStatus(s3, bucket);
  const status = selected(all, secrets);
  if (html !== undefined) {
    await writePrivate(html, await readObject(s3, bucket, STATUS_PAGE_KEY));
  }
  for (const line of json
    ? [JSON.stringify(status, null, 2)]
    : reportOf(status, now, paint, width, secrets.length > 0)) {
    report(line);
  }
  const isOld = now.getTime() - Date.parse(all.generatedAt) > MAX_PERIODS * all.periodMinutes * 60_000;
  if (isOld) {
    warn(
      `The last check was ${distance(all.generatedAt, now)}, and there should be one every ${all.periodMinutes} minutes: ` +
        'see docs/operations.md#alarm-heartbeat-missing.',
    );
  }
  return isOld || status.secrets.some(({ state }) => TROUBLE.includes(state)) ? 1 : 0;
}

/** The page names databases, so nobody else may read it, at no time. The mode of `open` is only that of a new file. */
async function writePrivate(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', PRIVATE);
  try {
    await file.chmod(PRIVATE);
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

/**
 * The status of some secrets; of all of them if none is named. The totals stay those of all.
 *
 * @throws {CommandError} if one of them is not on a schedule
 */
function selected(status: Status, names: readonly string[]): Status {
  const unknown = names.filter((name) => status.secrets.every(({ secret }) => secret !== name));
  if (unknown.length > 0) {
    throw new CommandError(
      `Not on a schedule, as of ${status.generatedAt}: ${unknown.join(', ')}. ` +
        'A secret that was tagged since then is in the status of the next check.',
    );
  }
  return names.length === 0
    ? status
    : { ...status, secrets: status.secrets.filter(({ secret }) => names.includes(secret)) };
}
