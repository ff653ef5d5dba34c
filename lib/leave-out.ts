import { CfnResource } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/**
 * Leaves out a property that CDK always writes and AWS does not accept.
 *
 * @param path names and indexes, separated by dots: `Volumes.0.Host`
 * @throws {Error} if the construct is not the wrapper of one resource
 */
export function leaveOut(construct: Construct, path: string): void {
  const { defaultChild } = construct.node;
  if (!CfnResource.isCfnResource(defaultChild)) {
    throw new Error(`${construct.node.path} wraps no resource, so ${path} cannot be left out of it.`);
  }
  defaultChild.addPropertyDeletionOverride(path);
}
