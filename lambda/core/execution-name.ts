import { hash } from 'node:crypto';
import { parse } from '@aws-sdk/util-arn-parser';
import type { ExecutionInput } from '../../contract.ts';

/** Secrets Manager appends a hyphen and six random characters to the name in an ARN. */
const RANDOM_SUFFIX = /-[0-9A-Za-z]{6}$/;

/** The name in a secret's full ARN: `prod/orders` of `arn:aws:secretsmanager:…:secret:prod/orders-a1B2c3`. */
export function secretName(secretArn: string): string {
  return parse(secretArn)
    .resource.replace(/^secret:/, '')
    .replace(RANDOM_SUFFIX, '');
}

/** The Region in a secret's ARN. */
export function secretRegion(secretArn: string): string {
  return parse(secretArn).region;
}

/** ARN of the execution for an input. */
export function executionArn(stateMachineArn: string, input: ExecutionInput): string {
  return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${executionName(input)}`;
}

/** UTC, RFC 3339, whole seconds: the format of {@link ExecutionInput.when}. */
export function formatWhen(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/**
 * The name of the execution: `<secret name>-<time>-<hash>`, at most 80 characters of `0-9A-Za-z-_`.
 *
 * It is a pure function of the input. Step Functions starts each name only once, so that any number of scans, duplicate
 * events and retries start a run exactly once. The hash distinguishes inputs whose readable part is the same.
 */
export function executionName({ secretArn, tagsHash, when }: ExecutionInput): string {
  const readable = secretName(secretArn)
    .replace(/[^0-9A-Za-z_-]/g, '_')
    .slice(0, 38);
  const digest = hash('sha256', JSON.stringify([secretArn, tagsHash, when])).slice(0, 24);
  return `${readable}-${when.replace(/[-:]/g, '')}-${digest}`;
}
