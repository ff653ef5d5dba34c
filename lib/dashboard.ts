import { Aws, CfnCondition, CfnOutput, Duration, Fn, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import {
  CONSOLE_HOSTS,
  FRESHNESS_PERIOD_MINUTES,
  METRICS,
  METRICS_DIMENSION,
  METRICS_NAMESPACE,
  STATUS_PAGE_KEY,
} from '../contract.ts';

export interface DashboardProps {
  /** Whose executions are the runs. */
  readonly stateMachine: sfn.IStateMachine;
  /** Writes the metrics of dumps to its log. */
  readonly freshness: lambda.IFunction;
  /** Holds the status page. */
  readonly statusBucket: s3.IBucket;
}

const PERIOD = Duration.minutes(FRESHNESS_PERIOD_MINUTES);
const DAY = Duration.days(1);

/** Columns of a dashboard. */
const WIDTH = 24;
const HEIGHT = 6;

/**
 * The CloudWatch dashboard: how runs end, and what the checks for missing dumps find out about all secrets together.
 */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { stateMachine } = props;
    const width = WIDTH / 3;
    const graph = (title: string, metrics: cloudwatch.IMetric[], yLabel: string): cloudwatch.GraphWidget =>
      new cloudwatch.GraphWidget({
        title,
        left: metrics,
        leftYAxis: { min: 0, label: yLabel, showUnits: false },
        width,
        height: HEIGHT,
      });
    const daily = { statistic: 'Sum', period: DAY };
    const dashboard = new cloudwatch.Dashboard(this, 'Dashboard', {
      defaultInterval: Duration.days(14),
      widgets: [
        [new cloudwatch.TextWidget({ markdown: this.links(props), width: WIDTH, height: 2 })],
        [
          graph('Secrets without a dump that should be there', this.troubles(), 'secrets'),
          graph('Longest time since a dump', [this.longest()], 'hours'),
          graph(
            'Runs by outcome, per day',
            [
              stateMachine.metricSucceeded({ ...daily, label: 'succeeded', color: cloudwatch.Color.GREEN }),
              stateMachine.metricFailed({ ...daily, label: 'failed', color: cloudwatch.Color.RED }),
              stateMachine.metricTimedOut({ ...daily, label: 'timed out', color: cloudwatch.Color.ORANGE }),
              stateMachine.metricAborted({ ...daily, label: 'stopped', color: cloudwatch.Color.GREY }),
            ],
            'runs',
          ),
        ],
        [
          graph('Bytes dumped, per day', [this.metric('bytes', { ...daily, label: 'bytes' })], 'bytes'),
          graph(
            'Seconds of dumps whose manifest was read, per day',
            [this.metric('seconds', { ...daily, label: 'seconds' })],
            'seconds',
          ),
          graph('Secrets with vanished rows or a drill in trouble', this.doubts(), 'secrets'),
        ],
      ],
    });
    new CfnOutput(Stack.of(this), 'DashboardName', {
      value: dashboard.dashboardName,
      description: 'CloudWatch dashboard of runs and dumps',
    });
  }

  private troubles(): cloudwatch.IMetric[] {
    const options = { statistic: 'Maximum', period: PERIOD };
    return [
      this.metric('overdue', { ...options, label: 'overdue', color: cloudwatch.Color.RED }),
      this.metric('failing', { ...options, label: 'failing', color: cloudwatch.Color.ORANGE }),
    ];
  }

  private doubts(): cloudwatch.IMetric[] {
    const options = { statistic: 'Maximum', period: PERIOD };
    return [
      this.metric('vanished', { ...options, label: 'rows vanished', color: cloudwatch.Color.RED }),
      this.metric('drillOverdue', { ...options, label: 'drill overdue', color: cloudwatch.Color.ORANGE }),
      this.metric('drillFailed', { ...options, label: 'drill failed', color: cloudwatch.Color.PURPLE }),
    ];
  }

  private longest(): cloudwatch.IMetric {
    return new cloudwatch.MathExpression({
      label: 'hours since its scheduled time',
      expression: 'seconds / 3600',
      usingMetrics: { seconds: this.metric('longest', { statistic: 'Maximum', period: PERIOD }) },
      period: PERIOD,
    });
  }

  private metric(name: keyof typeof METRICS, options: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: METRICS_NAMESPACE,
      metricName: METRICS[name],
      dimensionsMap: { [METRICS_DIMENSION]: Stack.of(this).stackName },
      ...options,
    });
  }

  private links({ stateMachine, freshness, statusBucket }: DashboardProps): string {
    const { region } = Stack.of(this);
    const console = `https://${region}.${this.consoleHost()}`;
    const links = [
      ['Status page', `${console}/s3/object/${statusBucket.bucketName}?region=${region}&prefix=${STATUS_PAGE_KEY}`],
      ['Runs', `${console}/states/home?region=${region}#/statemachines/view/${stateMachine.stateMachineArn}`],
      ['Dump jobs', `${console}/batch/home?region=${region}#jobs`],
      ['Freshness', `${console}/lambda/home?region=${region}#/functions/${freshness.functionName}?tab=monitoring`],
    ];
    return links.map(([name = '', address = '']) => `[${name}](${address})`).join(' · ');
  }

  /** The partition is known only at deployment. */
  private consoleHost(): string {
    const { aws, ...others } = CONSOLE_HOSTS;
    return Object.entries(others).reduce<string>((otherwise, [partition, host]) => {
      const { logicalId } = new CfnCondition(this, partition, {
        expression: Fn.conditionEquals(Aws.PARTITION, partition),
      });
      return Fn.conditionIf(logicalId, host, otherwise).toString();
    }, aws);
  }
}
