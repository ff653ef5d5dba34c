import { expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { CONSOLE_HOSTS, METRICS } from '../../contract.ts';
import { Dashboard } from '../../lib/dashboard.ts';

test('the dashboard shows every metric that Freshness writes for this stack, how runs end, and where the page is', () => {
  const stack = new Stack(undefined, 'Ours');
  new Dashboard(stack, 'Dashboard', {
    stateMachine: sfn.StateMachine.fromStateMachineName(stack, 'Machine', 'machine'),
    freshness: lambda.Function.fromFunctionName(stack, 'Freshness', 'freshness'),
    statusBucket: s3.Bucket.fromBucketName(stack, 'Status', 'status-bucket'),
  });
  const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.stringify(dashboard).replaceAll('\\', '');
  for (const name of Object.values(METRICS)) {
    expect(body).toContain(`["AutoDump","${name}","Stack","Ours"`);
  }
  for (const outcome of ['Succeeded', 'Failed', 'TimedOut', 'Aborted']) {
    expect(body).toContain(`Executions${outcome}`);
  }
  expect(body).toContain('/s3/object/status-bucket?region=');
  for (const host of Object.values(CONSOLE_HOSTS)) {
    expect(body).toContain(`"${host}"`);
  }
});
