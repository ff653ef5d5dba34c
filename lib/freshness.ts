import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import {
  FRESHNESS_KEY,
  FRESHNESS_PERIOD_MINUTES,
  type FreshnessEnvironment,
  STATUS_KEY,
  STATUS_PAGE_KEY,
} from '../contract.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { grantPutOwnEvents } from './default-bus.ts';
import type { DumpBucket } from './dump-bucket.ts';
import { queueDestination, schedulingFunction } from './scheduling-functions.ts';
import { StateBucket } from './state-bucket.ts';

export interface FreshnessProps {
  /** Where dumps are looked for. */
  readonly dumpBucket: DumpBucket;
  /** Whose executions are the runs of missing dumps. */
  readonly stateMachine: sfn.StateMachine;
  /** Receives events that could not be delivered, or on which the function failed even on its last retry. */
  readonly deadLetters: sqs.IQueue;
  /** Has the topic that the function's messages go to, and gets alarms for the function itself. */
  readonly alarms: Alarms;
  /** How long after its scheduled time a dump that is not there is overdue. */
  readonly overdueAfter: Duration;
  readonly scanInterval: Duration;
  /** Named in messages, as the function that makes up for a missing dump. */
  readonly scanner: lambda.IFunction;
}

/**
 * Each check costs a call for a hundred secrets. Hourly, ten thousand daily ones cost 2,400, beside one for each dump
 * and each manifest that is read.
 */
const INTERVAL = Duration.minutes(FRESHNESS_PERIOD_MINUTES);

/** A rule need not come exactly once in each hour of the clock, and a failed check is retried within minutes. */
const HOURS_WITHOUT_HEARTBEAT = 3;

/**
 * The function that looks for the dumps that have to be there by now, and reports those that are not. It has its own
 * schedule and role, and depends on nothing that it watches. It may read neither a secret's value nor a dump, only the
 * manifests, by which it also finds out when rows have vanished; and keep from expiry the dump that still has them.
 */
export class Freshness extends Construct {
  readonly function: lambda.Function;
  /** Holds the status of all secrets, which every check writes. */
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, props: FreshnessProps) {
    super(scope, id);
    const { dumpBucket, stateMachine, deadLetters, alarms } = props;
    const state = new StateBucket(this, 'State', {
      key: FRESHNESS_KEY,
      contents: 'It holds only what is known of dumps: names, times and sizes.',
    });
    this.bucket = state.bucket;
    const environment: FreshnessEnvironment = {
      STATE_MACHINE_ARN: stateMachine.stateMachineArn,
      STATE_BUCKET: state.bucket.bucketName,
      DUMP_BUCKETS: dumpBucket.bucketNames.join(','),
      TOPIC_ARN: alarms.topic.topicArn,
      OVERDUE_AFTER_MINUTES: String(props.overdueAfter.toMinutes()),
      SCAN_INTERVAL_MINUTES: String(props.scanInterval.toMinutes()),
      SCANNER_NAME: props.scanner.functionName,
      STACK_NAME: Stack.of(this).stackName,
    };
    this.function = schedulingFunction(this, 'Function', {
      source: 'lambda/freshness.ts',
      description: 'Reports the dumps that have to be there by now and are not, and writes the status page',
      timeout: Duration.minutes(15),
      // Status and page of ten thousand secrets take 150 MB while they are made.
      memorySize: 512,
      environment: { ...environment },
      onFailure: queueDestination(deadLetters),
      retryAttempts: 2,
    });
    state.grantReadWrite(this.function);
    this.allow(
      'WriteStatus',
      ['s3:PutObject'],
      ...[STATUS_KEY, STATUS_PAGE_KEY].map((key) => state.bucket.arnForObjects(key)),
    );
    this.allowSecretsAndRuns(stateMachine);
    this.allowDumps(dumpBucket, this.function.role);
    this.allow('Report', ['sns:Publish'], alarms.topic.topicArn);
    grantPutOwnEvents(this.function);
    const rule = new events.Rule(this, 'Hourly', {
      description: 'Looks for the dumps that have to be there by now',
      schedule: events.Schedule.rate(INTERVAL),
      targets: [
        new LambdaFunction(this.function, {
          deadLetterQueue: deadLetters,
          maxEventAge: Duration.hours(2),
          retryAttempts: 10,
        }),
      ],
    });
    alarms.addUndelivered(rule);
    alarms.addErrors(
      'FreshnessFailed',
      this.function,
      'A check for overdue dumps failed, or could not look at every secret',
      'alarm-freshness-failed',
    );
    this.addHeartbeat(alarms);
  }

  private allowSecretsAndRuns(stateMachine: sfn.StateMachine): void {
    const runs = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${stateMachine.stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.allow('ListSecrets', ['secretsmanager:ListSecrets'], '*');
    this.allow('DescribeRuns', ['states:DescribeExecution'], runs);
    acknowledgeWildcards(this, ['*'], 'ListSecrets has no resource-level permissions.');
    acknowledgeWildcards(this, [runs], 'The executions of this state machine, one for each run.');
  }

  private allowDumps(dumpBucket: DumpBucket, role: iam.IRole | undefined): void {
    if (role) {
      dumpBucket.grantFind(role);
      dumpBucket.grantReadManifests(role);
      dumpBucket.grantKeep(role);
    }
  }

  private allow(sid: string, actions: string[], ...resources: string[]): void {
    this.function.addToRolePolicy(new iam.PolicyStatement({ sid, actions, resources }));
  }

  /** The dead man's switch: whatever keeps checks from ending well, no heartbeat sets off the alarm. */
  private addHeartbeat(alarms: Alarms): void {
    const options = { statistic: 'Sum', period: INTERVAL };
    alarms.add('HeartbeatMissing', {
      problem: `No check for overdue dumps has ended well for ${HOURS_WITHOUT_HEARTBEAT} hours`,
      article: 'alarm-heartbeat-missing',
      metric: new cloudwatch.MathExpression({
        label: 'heartbeat',
        expression: 'invocations - errors',
        usingMetrics: {
          invocations: this.function.metricInvocations(options),
          errors: this.function.metricErrors(options),
        },
        period: INTERVAL,
      }),
      threshold: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: HOURS_WITHOUT_HEARTBEAT,
      datapointsToAlarm: HOURS_WITHOUT_HEARTBEAT,
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    });
  }
}
