import type { IResolvable } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/**
 * How a branch of a run ended. A branch never fails: a failing one would stop the other, so that it ends well, with a
 * failure told here.
 */
export interface BranchEnd {
  readonly failed: boolean;
  /** Whole sentences that name the branch. */
  readonly message: string;
}

/**
 * What an error, a job or a container may lack, as messages then say it. It travels with the run as `$.absent`, since a
 * path to nothing would be an error of its own, and one that nothing can catch.
 */
export const ABSENT = {
  Error: 'Unknown',
  Cause: 'no cause given',
  ExitCode: 'none',
  LogStreamName: 'none',
  Reason: 'no further reason',
  StatusReason: 'no reason given',
};

/** What the states that read a failure pass on. */
export const FAILED_RUN = {
  secretArn: sfn.JsonPath.stringAt('$.secretArn'),
  when: sfn.JsonPath.stringAt('$.when'),
  absent: at('$.absent'),
};

/** The state behind a catch with `$.failure` as its result path: makes sure of an error name and a cause. */
export function readFailure(scope: Construct, id: string): sfn.Pass {
  return new sfn.Pass(scope, id, { parameters: { ...FAILED_RUN, failure: orAbsent(at('$.failure')) } });
}

/** The state that ends a branch as failed. */
export function branchFailed(scope: Construct, id: string, message: string, paths: readonly string[]): sfn.Pass {
  return new sfn.Pass(scope, id, {
    parameters: { failed: true, message: format(message, paths) } satisfies BranchEnd,
  });
}

/** The value at a path, of whatever type. */
export function at(path: string): IResolvable {
  return sfn.JsonPath.objectAt(path);
}

/** An object with what it lacks filled in from {@link ABSENT}. */
export function orAbsent(value: IResolvable): string {
  return sfn.JsonPath.jsonMerge(at('$.absent'), value);
}

/** A sentence with the values at the paths in place of `{}`. */
export function format(message: string, paths: readonly string[]): string {
  return sfn.JsonPath.format(message, ...paths.map((path) => sfn.JsonPath.stringAt(path)));
}
