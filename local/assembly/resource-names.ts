import { ACCOUNT, REGION } from './account.ts';

/** How resources of a type are named: their ARN without the partition, and the value of `Ref`. */
export interface Naming {
  /** Property that sets the name; optional in the template. */
  readonly property: string;
  readonly arn: (name: string) => string;
  readonly ref: 'name' | 'arn';
}

/** `Ref` as in https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html */
const NAMINGS: Readonly<Record<string, Naming>> = {
  'AWS::Batch::JobDefinition': {
    property: 'JobDefinitionName',
    arn: (name) => `batch:${REGION}:${ACCOUNT}:job-definition/${name}:1`,
    ref: 'arn',
  },
  'AWS::Batch::JobQueue': {
    property: 'JobQueueName',
    arn: (name) => `batch:${REGION}:${ACCOUNT}:job-queue/${name}`,
    ref: 'arn',
  },
  // Generated IDs have the form of generated names.
  'AWS::EC2::SecurityGroup': {
    property: 'GroupName',
    arn: (name) => `ec2:${REGION}:${ACCOUNT}:security-group/${name}`,
    ref: 'name',
  },
  'AWS::Events::Rule': { property: 'Name', arn: (name) => `events:${REGION}:${ACCOUNT}:rule/${name}`, ref: 'name' },
  'AWS::IAM::ManagedPolicy': {
    property: 'ManagedPolicyName',
    arn: (name) => `iam::${ACCOUNT}:policy/${name}`,
    ref: 'arn',
  },
  'AWS::IAM::Role': { property: 'RoleName', arn: (name) => `iam::${ACCOUNT}:role/${name}`, ref: 'name' },
  'AWS::IAM::User': { property: 'UserName', arn: (name) => `iam::${ACCOUNT}:user/${name}`, ref: 'name' },
  'AWS::Lambda::Function': {
    property: 'FunctionName',
    arn: (name) => `lambda:${REGION}:${ACCOUNT}:function:${name}`,
    ref: 'name',
  },
  'AWS::Logs::LogGroup': {
    property: 'LogGroupName',
    arn: (name) => `logs:${REGION}:${ACCOUNT}:log-group:${name}:*`,
    ref: 'name',
  },
  'AWS::S3::Bucket': { property: 'BucketName', arn: (name) => `s3:::${name}`, ref: 'name' },
  'AWS::SNS::Topic': { property: 'TopicName', arn: (name) => `sns:${REGION}:${ACCOUNT}:${name}`, ref: 'arn' },
  'AWS::SQS::Queue': { property: 'QueueName', arn: (name) => `sqs:${REGION}:${ACCOUNT}:${name}`, ref: 'name' },
  'AWS::StepFunctions::StateMachine': {
    property: 'StateMachineName',
    arn: (name) => `states:${REGION}:${ACCOUNT}:stateMachine:${name}`,
    ref: 'arn',
  },
};

/** @throws {Error} if the type is not supported */
export function namingOf(type: string, logicalId: string): Naming {
  const naming = NAMINGS[type];
  if (naming === undefined) {
    throw new Error(
      `The template refers to ${logicalId}, and the local run cannot name resources of the type ${type}.`,
    );
  }
  return naming;
}
