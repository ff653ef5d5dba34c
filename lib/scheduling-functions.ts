import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { MEMO_KEY, type ScannerEnvironment } from '../contract.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import { withBundle } from './bundle.ts';
import { busDestination } from './default-bus.ts';
import { logGroup } from './log-group.ts';
import { StateBucket } from './state-bucket.ts';

/** The functions that a run calls: Hash and Reschedule. Neither may read the value of a secret. */
export class RunFunctions extends Construct {
  readonly hash: lambda.Function;
  readonly reschedule: lambda.Function;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.hash = schedulingFunction(this, 'Hash', {
      source: 'lambda/compare-tags.ts',
      description: 'Checks whether the schedule tags of a secret are those that its run was started for',
      timeout: Duration.seconds(30),
    });
    allowDescribe(this.hash);
    this.reschedule = schedulingFunction(this, 'Reschedule', {
      source: 'lambda/reschedule.ts',
      description: 'Starts the next run of a secret',
      timeout: Duration.seconds(30),
    });
    allowDescribe(this.reschedule);
  }
}

export interface ScannerProps {
  /** State machine of the runs. */
  readonly stateMachine: sfn.IStateMachine;
  /** State machine of the checks. */
  readonly check: sfn.IStateMachine;
}

/** The function that finds the tagged secrets and starts their next runs. */
export class Scanner extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, { stateMachine, check }: ScannerProps) {
    super(scope, id);
    // A cache, which keeps a scan that finds nothing new cheap: losing it costs only API calls.
    const memo = new StateBucket(this, 'Memo', {
      key: MEMO_KEY,
      contents: 'It holds only the times of runs, which the executions show as well.',
    });
    const environment: ScannerEnvironment = {
      STATE_MACHINE_ARN: stateMachine.stateMachineArn,
      CHECK_STATE_MACHINE_ARN: check.stateMachineArn,
      MEMO_BUCKET: memo.bucket.bucketName,
    };
    this.function = schedulingFunction(this, 'Function', {
      source: 'lambda/scanner.ts',
      description: 'Starts the next runs of the secret that an event names, or of every secret with a schedule tag',
      timeout: Duration.minutes(15),
      environment: { ...environment },
      // The dead-letter queue of a rule covers only delivery; events of failed scans are sent by the function itself.
      onFailure: busDestination(),
      retryAttempts: 2,
    });
    this.function.addToRolePolicy(
      new iam.PolicyStatement({ sid: 'ListSecrets', actions: ['secretsmanager:ListSecrets'], resources: ['*'] }),
    );
    acknowledgeWildcards(this, ['*'], 'ListSecrets has no resource-level permissions.');
    allowDescribe(this.function);
    allowStart(this, stateMachine, this.function);
    this.function.addToRolePolicy(
      new iam.PolicyStatement({
        sid: 'StartChecks',
        actions: ['states:StartExecution'],
        resources: [check.stateMachineArn],
      }),
    );
    this.function.addToRolePolicy(
      new iam.PolicyStatement({
        sid: 'ListRuns',
        actions: ['states:ListExecutions'],
        resources: [stateMachine.stateMachineArn],
      }),
    );
    memo.grantReadWrite(this.function);
    this.allowContinuation();
  }

  /** A scan too long for one invocation continues in another. As with StartRuns, a separate policy avoids a cycle. */
  private allowContinuation(): void {
    const { role, functionArn } = this.function;
    new iam.Policy(this, 'GoOn', {
      statements: [
        new iam.PolicyStatement({ sid: 'GoOn', actions: ['lambda:InvokeFunction'], resources: [functionArn] }),
      ],
      roles: role ? [role] : [],
    });
  }
}

/**
 * Lets functions start executions. The permission is a separate policy, not part of the role: the state machine refers
 * to a function that starts it, and would otherwise depend on a permission that refers back to it.
 */
export function allowStart(scope: Construct, stateMachine: sfn.IStateMachine, ...functions: lambda.Function[]): void {
  new iam.Policy(scope, 'StartRuns', {
    statements: [
      new iam.PolicyStatement({
        sid: 'StartRuns',
        actions: ['states:StartExecution'],
        resources: [stateMachine.stateMachineArn],
      }),
    ],
    roles: functions.flatMap(({ role }) => (role ? [role] : [])),
  });
}

/** A queue as a destination. Unlike CDK's own class it grants only the action that sending needs. */
export function queueDestination(queue: sqs.IQueue): lambda.IDestination {
  return {
    bind: (_, fn) => {
      const statement = { sid: 'KeepFailed', actions: ['sqs:SendMessage'], resources: [queue.queueArn] };
      fn.grantPrincipal.addToPrincipalPolicy(new iam.PolicyStatement(statement));
      return { destination: queue.queueArn };
    },
  };
}

export interface SchedulingFunctionProps extends Pick<
  lambda.FunctionOptions,
  'description' | 'timeout' | 'environment' | 'onFailure' | 'retryAttempts' | 'memorySize'
> {
  /** Path of the handler's source, relative to the project's root. */
  readonly source: string;
}

/** A function whose role may write its log, and nothing else yet. */
export function schedulingFunction(
  scope: Construct,
  id: string,
  { source, ...options }: SchedulingFunctionProps,
): lambda.Function {
  const log = logGroup(scope, `${id}Logs`);
  const role = new iam.Role(scope, `${id}Role`, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  role.addToPolicy(
    new iam.PolicyStatement({
      sid: 'WriteLogs',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [log.logGroupArn],
    }),
  );
  return withBundle(
    source,
    'index.js',
    (folder) =>
      new lambda.Function(scope, id, {
        memorySize: 256,
        ...options,
        runtime: lambda.Runtime.NODEJS_24_X,
        architecture: lambda.Architecture.ARM_64,
        code: lambda.Code.fromAsset(folder),
        handler: 'index.handler',
        loggingFormat: lambda.LoggingFormat.JSON,
        logGroup: log,
        role,
      }),
  );
}

/** Lets a function read tags and state of all secrets, since it must notice those that lost the tag or were deleted. */
function allowDescribe(fn: lambda.Function): void {
  const secrets = Stack.of(fn).formatArn({ service: 'secretsmanager', resource: 'secret:*' });
  fn.addToRolePolicy(
    new iam.PolicyStatement({
      sid: 'DescribeSecrets',
      actions: ['secretsmanager:DescribeSecret'],
      resources: [secrets],
    }),
  );
  acknowledgeWildcards(
    fn.role ?? fn,
    [secrets],
    'Any secret may gain or lose the tag, and its description does not include its value.',
  );
}
