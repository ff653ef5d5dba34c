import { expect, test } from '@jest/globals';
import { metricsLine } from '../../../../lambda/core/status/metrics.ts';
import { statusOf } from '../../../../lambda/core/status/status.ts';
import { NOW, STATUS, SUBJECT } from './examples.ts';

test('the metrics of a check are one line in the embedded metric format', () => {
  const line = metricsLine(STATUS, { bytes: 5000, seconds: 12.5 });
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    _aws: {
      Timestamp: NOW.getTime(),
      CloudWatchMetrics: [
        {
          Namespace: 'AutoDump',
          Dimensions: [['Stack']],
          Metrics: [
            { Name: 'Overdue', Unit: 'Count' },
            { Name: 'Failing', Unit: 'Count' },
            { Name: 'RowsVanished', Unit: 'Count' },
            { Name: 'DrillOverdue', Unit: 'Count' },
            { Name: 'DrillFailed', Unit: 'Count' },
            { Name: 'LongestSinceDump', Unit: 'Seconds' },
            { Name: 'DumpedBytes', Unit: 'Bytes' },
            { Name: 'DumpSeconds', Unit: 'Seconds' },
          ],
        },
      ],
    },
    Stack: 'AutoDump',
    Overdue: 1,
    Failing: 1,
    RowsVanished: 1,
    DrillOverdue: 1,
    DrillFailed: 1,
    LongestSinceDump: 26.5 * 60 * 60,
    DumpedBytes: 5000,
    DumpSeconds: 12.5,
  });
});

test('without any dump there is no age of the oldest', () => {
  const line = metricsLine(statusOf([], SUBJECT, NOW), { bytes: 0, seconds: 0 });
  expect(line).not.toContain('LongestSinceDump');
});
