import * as batch from 'aws-cdk-lib/aws-batch';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { leaveOut } from '../leave-out.ts';

export interface ComputeEnvironmentProps {
  readonly vpc: ec2.IVpc;
  /** Batch sets them for a whole environment, not for a job. */
  readonly securityGroups: readonly ec2.ISecurityGroup[];
  /** How many jobs may run concurrently; further ones queue. */
  readonly maxConcurrent: number;
  /** Of each job. */
  readonly vcpu: number;
}

/** Capacity on Fargate in the private subnets. */
export function computeEnvironment(
  scope: Construct,
  id: string,
  { vpc, securityGroups, maxConcurrent, vcpu }: ComputeEnvironmentProps,
): batch.FargateComputeEnvironment {
  const environment = new batch.FargateComputeEnvironment(scope, id, {
    vpc,
    vpcSubnets: { subnets: vpc.privateSubnets },
    securityGroups: [...securityGroups],
    maxvCpus: Math.ceil(maxConcurrent * vcpu),
    // Updated in place, so that the queues and the jobs in them stay.
    replaceComputeEnvironment: false,
  });
  // Batch refuses to update a compute environment on Fargate with a policy, even an empty one.
  leaveOut(environment, 'UpdatePolicy');
  return environment;
}
