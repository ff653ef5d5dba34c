import type { IResolvable } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { type BranchResult, NO_FURTHER_REASON } from '../../contract.ts';

/**
 * Defaults for fields that an error, a job or a container may lack, worded for messages. The run carries them as
 * `$.absent`, since a path to a missing field is a runtime error that no Catch handles.
 */
export const ABSENT = {
  Error: 'Unknown',
  Cause: 'no cause given',
  ExitCode: 'none',
  LogStreamName: 'none',
  Attempts: [],
  Reason: NO_FURTHER_REASON,
  StatusReason: 'no reason given',
};

/** Fields that the states which read a failure pass on. */
export const RUN_FIELDS = {
  secretArn: sfn.JsonPath.stringAt('$.secretArn'),
  tagsHash: sfn.JsonPath.stringAt('$.tagsHash'),
  when: sfn.JsonPath.stringAt('$.when'),
  purpose: sfn.JsonPath.stringAt('$.purpose'),
  absent: valueAt('$.absent'),
};

/** The state after a Catch whose result path is `$.failure`: ensures that there is an error name and a cause. */
export function readFailure(scope: Construct, id: string): sfn.Pass {
  return new sfn.Pass(scope, id, { parameters: { ...RUN_FIELDS, failure: withDefaults(valueAt('$.failure')) } });
}

/**
 * The state that ends a branch as failed.
 *
 * @param resultPath of the result. @default - the result is the state's whole output
 * @param more further fields of the result
 */
export function branchFailed(
  scope: Construct,
  id: string,
  message: string,
  paths: readonly string[],
  resultPath?: string,
  more: Readonly<Record<string, IResolvable | string>> = {},
): sfn.Pass {
  return new sfn.Pass(scope, id, {
    parameters: { failed: true, message: format(message, paths), ...more } satisfies BranchResult,
    ...(resultPath === undefined ? {} : { resultPath }),
  });
}

/** The value at a path, of any type. */
export function valueAt(path: string): IResolvable {
  return sfn.JsonPath.objectAt(path);
}

/** An object with its missing fields filled in from {@link ABSENT}. */
export function withDefaults(value: IResolvable): string {
  return sfn.JsonPath.jsonMerge(valueAt('$.absent'), value);
}

/** A sentence with each `{}` replaced by the value at the respective path. */
export function format(message: string, paths: readonly string[]): string {
  return sfn.JsonPath.format(message, ...paths.map((path) => sfn.JsonPath.stringAt(path)));
}
