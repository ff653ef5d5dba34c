import { hash } from 'node:crypto';
import { parse } from '@aws-sdk/util-arn-parser';
import type { CheckInput, ExecutionInput } from '../../contract.ts';

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
 * The name of the execution: `<secret name>-<time>-<hash>`, or `<secret name>-drill-<time>-<hash>`, at most 80
 * characters of `0-9A-Za-z-_`.
 *
 * It is a pure function of the input. Step Functions starts each name only once, so that any number of scans, duplicate
 * events and retries start a run exactly once. The hash distinguishes inputs whose readable part is the same.
 */
export function executionName({ secretArn, tagsHash, when, purpose }: ExecutionInput): string {
  const time = when.replace(/[-:]/g, '');
  const identity = [secretArn, tagsHash, when];
  return purpose === 'drill'
    ? nameOf(secretArn, `drill-${time}`, [...identity, purpose])
    : nameOf(secretArn, time, identity);
}

/**
 * The name of the execution that checks a secret: `<secret name>-check-<hash>`. It does not depend on the time, so that
 * a secret is checked once with its tags, however often it is scanned.
 */
export function checkName({ secretArn, allTagsHash }: Pick<CheckInput, 'secretArn' | 'allTagsHash'>): string {
  return nameOf(secretArn, 'check', ['check', secretArn, allTagsHash]);
}

function nameOf(secretArn: string, what: string, identity: readonly string[]): string {
  const readable = secretName(secretArn)
    .replace(/[^0-9A-Za-z_-]/g, '_')
    .slice(0, Math.min(38, 54 - what.length));
  return `${readable}-${what}-${hash('sha256', JSON.stringify(identity)).slice(0, 24)}`;
}
