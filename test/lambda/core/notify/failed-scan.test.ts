import { expect, test } from '@jest/globals';
import { failedScanOf } from '../../../../lambda/core/notify/failed-scan.ts';

const record = (responsePayload?: object) => ({
  'detail-type': 'Lambda Function Invocation Result - Failure',
  detail: {
    requestContext: { functionArn: 'arn:aws:lambda:us-west-2:1:function:S:$LATEST', condition: 'EventAgeExceeded' },
    responsePayload,
  },
});

test.each<[string, object, readonly string[]]>([
  [
    'could not handle two secrets',
    record({ errorType: 'ScanFailed', errorMessage: '2 problem(s); everything else was done.\na: x\nb: y' }),
    ['a: x', 'b: y'],
  ],
  ['threw', record({ errorType: 'TypeError', errorMessage: 'x is\nundefined' }), ['TypeError: x is\nundefined']],
  ['exceeded its time limit', record({ errorMessage: 'Task timed out' }), ['Error: Task timed out']],
  ['was never handled', record(), ['The scan did not take place: EventAgeExceeded.']],
])('a scan that %s', (_, event, problems) => {
  expect(failedScanOf(event)).toEqual({ problems });
});

test('no other event is one', () => {
  expect(failedScanOf({ 'detail-type': 'Step Functions Execution Status Change', detail: {} })).toBeUndefined();
});
