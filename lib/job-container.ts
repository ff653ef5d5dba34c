import type { Size } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { Architecture } from './dump-image.ts';

/** What a job has to work with. */
export interface JobSize {
  readonly architecture: Architecture;
  readonly vcpu: number;
  readonly memory: Size;
  /** Disk that a dump lies on meanwhile. */
  readonly storage: Size;
}

export interface JobContainerProps extends JobSize {
  readonly image: DockerImageAsset;
  /** Words for the program in the image. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly jobRole: iam.IRole;
  /** Begins the names of log streams. */
  readonly streamPrefix: string;
}

/** Where the scratch disk is mounted; the image has a folder there. */
export const SCRATCH = '/scratch';

/** The container of a job on Fargate: without privileges, its root read-only, its words kept in a log group of its own. */
export function jobContainer(scope: Construct, props: JobContainerProps): batch.EcsFargateContainerDefinition {
  const executionRole = new iam.Role(scope, 'ExecutionRole', {
    assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com'),
  });
  acknowledgeWildcards(
    executionRole,
    ['*'],
    'The token that ECR asks for before an image is pulled knows no resources.',
  );
  return new batch.EcsFargateContainerDefinition(scope, 'Container', {
    image: ecs.ContainerImage.fromDockerImageAsset(props.image),
    command: [...props.command],
    environment: { ...props.environment },
    cpu: props.vcpu,
    memory: props.memory,
    ephemeralStorageSize: props.storage,
    fargateCpuArchitecture: ecs.CpuArchitecture.of(props.architecture),
    fargateOperatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    // The user that the image makes. The scratch volume takes its owner from the image's VOLUME at the same path.
    user: '10001',
    readonlyRootFilesystem: true,
    volumes: [batch.EcsVolume.host({ name: 'scratch', containerPath: SCRATCH })],
    logging: ecs.LogDriver.awsLogs({
      logGroup: new logs.LogGroup(scope, 'Logs', { retention: logs.RetentionDays.THREE_MONTHS }),
      streamPrefix: props.streamPrefix,
    }),
    executionRole,
    jobRole: props.jobRole,
  });
}
