import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from '../assembly/account.ts';
import type { Template } from '../assembly/template.ts';
import type { SentEvent } from './events/event-bus.ts';
import type { Execution } from './execution.ts';
import { ADMINISTRATOR } from './iam/decision.ts';
import type { SecretCall } from './secrets-manager/secrets-manager.ts';

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
export function cloudTrailEvent({ eventName, requestParameters, responseElements }: SecretCall): SentEvent {
  return {
    source: 'aws.secretsmanager',
    'detail-type': 'AWS API Call via CloudTrail',
    detail: {
      eventVersion: '1.11',
      userIdentity: { type: 'IAMUser', arn: ADMINISTRATOR, accountId: ACCOUNT },
      eventTime: new Date().toISOString(),
      eventSource: 'secretsmanager.amazonaws.com',
      eventName,
      awsRegion: REGION,
      sourceIPAddress: '127.0.0.1',
      requestParameters,
      responseElements,
      requestID: randomUUID(),
      eventID: randomUUID(),
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: ACCOUNT,
      eventCategory: 'Management',
    },
  };
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
export function executionEvent({ arn, name, stateMachineArn, input, startDate, end }: Execution): SentEvent {
  return {
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
    resources: [arn],
    detail: {
      executionArn: arn,
      stateMachineArn,
      name,
      status: end?.status ?? 'RUNNING',
      startDate: startDate.getTime(),
      stopDate: end === undefined ? null : Date.now(),
      input,
      inputDetails: { included: true },
      output: end?.status === 'SUCCEEDED' ? JSON.stringify(end.output) : null,
      outputDetails: end?.status === 'SUCCEEDED' ? { included: true } : null,
      error: end?.status === 'FAILED' ? end.error : null,
      cause: end === undefined || end.status === 'SUCCEEDED' ? null : (end.cause ?? null),
    },
  };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html */
export function deploymentEvent({ stackId }: Template): SentEvent {
  return {
    source: 'aws.cloudformation',
    'detail-type': 'CloudFormation Stack Status Change',
    detail: {
      'stack-id': stackId,
      'status-details': { status: 'CREATE_COMPLETE', 'status-reason': '' },
      'client-request-token': randomUUID(),
    },
  };
}
