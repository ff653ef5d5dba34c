import { expect, test } from '@jest/globals';
import { failedScanOf } from '../../../../lambda/core/notify/failed-scan.ts';
import { ScanFailed } from '../../../../lambda/core/scan-failed.ts';

const scanFailed = new ScanFailed(2, ['a: x', 'b: y']);

const seen = '2026-11-22T08:00:12Z';

const record = (responsePayload?: object) => ({
  time: seen,
  'detail-type': 'Lambda Function Invocation Result - Failure',
  detail: {
    requestContext: { functionArn: 'arn:aws:lambda:us-west-2:1:function:S:$LATEST', condition: 'EventAgeExceeded' },
    responsePayload,
  },
});

test.each<[string, object, readonly string[]]>([
  [
    'could not handle two secrets',
    record({ errorType: scanFailed.name, errorMessage: scanFailed.message }),
    ['a: x', 'b: y'],
  ],
  [
    'threw',
    record({ errorType: 'TypeError', errorMessage: 'x is\nundefined' }),
    ['The scan of all secrets did not come to its end: TypeError: x is\nundefined'],
  ],
  [
    'exceeded its time limit',
    record({ errorMessage: 'Task timed out' }),
    ['The scan of all secrets did not come to its end: Error: Task timed out'],
  ],
  ['was never handled', record(), ['The scan of all secrets did not come to its end: EventAgeExceeded']],
])('a scan that %s', (_, event, problems) => {
  expect(failedScanOf(event)).toEqual({ seen, problems });
});

test('a scan of one secret names it', () => {
  const { detail, ...envelope } = record();
  const requestPayload = { detail: { requestParameters: { secretId: 'prod/orders' } } };
  expect(failedScanOf({ ...envelope, detail: { ...detail, requestPayload } })).toEqual({
    seen,
    problems: ['The scan of prod/orders did not come to its end: EventAgeExceeded'],
  });
});

test('no other event is one', () => {
  expect(failedScanOf({ 'detail-type': 'Step Functions Execution Status Change', detail: {} })).toBeUndefined();
});
