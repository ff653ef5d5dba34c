import { parseArgs } from 'node:util';
import { problemOf } from '../command-line.ts';
import { Failure } from '../failure.ts';
import { isRegion } from '../plan/environment.ts';
import { parseTableName, type TableName } from '../postgres/names/table-name.ts';

/** The table whose rows to follow through the dumps of a secret. */
export interface HistoryOptions {
  readonly table: TableName;
  /** Name of the secret. */
  readonly secret: string;
  /** That have its dumps. */
  readonly buckets: readonly string[];
  /** Of the buckets. */
  readonly region: string;
}

export const HISTORY_USAGE = 'history SCHEMA.TABLE --secret NAME [--bucket BUCKET]';

function misuse(problem: string): Failure {
  return new Failure('misuse', `${problem} Usage: ${HISTORY_USAGE}.`);
}

function parseArguments(args: readonly string[]) {
  const options = { secret: { type: 'string' }, bucket: { type: 'string' } } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw misuse(problemOf(error));
  }
}

/**
 * Reads the words after `history`, and what they need of the environment.
 *
 * @throws {Failure} `misuse`
 */
export function parseHistoryOptions(args: readonly string[], environment: NodeJS.ProcessEnv): HistoryOptions {
  const { values, positionals } = parseArguments(args);
  const { AUTODUMP_BUCKETS: known, AWS_REGION: region } = environment;
  const [text = ''] = positionals;
  const table = parseTableName(text);
  if (positionals.length !== 1 || table === undefined) {
    throw misuse('Exactly one table is required, with its schema, as in public.orders.');
  }
  if (values.secret === undefined || values.secret === '' || values.secret.startsWith('arn:')) {
    throw misuse('--secret must be the name of the secret whose dumps to look at, such as prod/orders.');
  }
  const buckets = (values.bucket ?? known ?? '').split(',').filter((name) => name !== '');
  if (buckets.length === 0) {
    throw misuse('--bucket is missing: the bucket with the dumps. Only the restore job knows those of the stack.');
  }
  if (region === undefined || !isRegion(region)) {
    throw misuse('AWS_REGION must be the Region of the bucket, such as us-west-2.');
  }
  return { table, secret: values.secret, buckets, region };
}
