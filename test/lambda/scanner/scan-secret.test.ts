import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { Memo } from '../../../lambda/core/memo.ts';
import { ScanReport } from '../../../lambda/scanner/scan-report.ts';
import { scan } from '../../../lambda/scanner/scan-secret.ts';

const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';
const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:orders-a1B2c3';
const machine = mockClient(SFNClient);

beforeEach(() => {
  machine.reset();
  machine.on(StartExecutionCommand).callsFake(() => ({ executionArn: 'x', startDate: new Date() }));
});

/** @param tags by the end of their keys */
function scanned(
  tags: Readonly<Record<string, string>>,
  memo = new Memo({ stateMachineArn: MACHINE, timezoneRules: '' }),
) {
  const Tags = Object.entries(tags).map(([key, Value]) => ({ Key: `autodump:${key}`, Value }));
  return scan(
    { ARN, Tags },
    {
      stepFunctions: new SFNClient(),
      stateMachineArn: MACHINE,
      checkStateMachineArn: `${MACHINE}-checks`,
      memo,
      running: new Set(),
      isNamed: false,
    },
  );
}

const runs = () =>
  machine
    .commandCalls(StartExecutionCommand, { stateMachineArn: MACHINE })
    .map(({ args: [{ input }] }) => JSON.parse(String(input.input)) as object);

describe('a secret with a schedule of drills', () => {
  test('has its next drill started beside its next dump, although both are due at the same time', async () => {
    const schedules = { 'start-schedule': '0 8 * * *', 'drill-schedule': '0 8 * * *' };
    expect(await scanned(schedules)).toMatchObject([
      { purpose: 'dump', outcome: 'started' },
      { purpose: 'drill', outcome: 'started', checking: false },
    ]);
    const [dump, drill] = runs();
    expect(drill).toEqual({ ...dump, purpose: 'drill' });
  });

  test('is not asked about again when both wait', async () => {
    const memo = new Memo({ stateMachineArn: MACHINE, timezoneRules: '' });
    const schedules = { 'start-schedule': '0 8 * * *', 'drill-schedule': '0 8 * * *' };
    await scanned(schedules, memo);
    machine.resetHistory();
    expect(await scanned(schedules, memo)).toMatchObject([{ outcome: 'waiting' }, { outcome: 'waiting' }]);
    expect(machine.calls()).toEqual([]);
  });

  test('need not have one of dumps', async () => {
    expect(await scanned({ 'drill-schedule': '@weekly' })).toMatchObject([{ purpose: 'drill', outcome: 'started' }]);
  });

  test.each([
    ['the drills', { 'start-schedule': '@daily', 'drill-schedule': 'x' }, ['started', 'failed'], 'orders (drill): '],
    ['the dumps', { 'start-schedule': 'x', 'drill-schedule': '@daily' }, ['failed', 'started'], 'orders: '],
  ])('of which that of %s is broken is reported by name, and the other starts', async (_, tags, outcomes, name) => {
    const results = await scanned(tags);
    expect(results.map(({ outcome }) => outcome)).toEqual(outcomes);
    const report = new ScanReport();
    const log = jest.spyOn(console, 'info').mockImplementation(() => undefined);
    report.addNamed(results);
    log.mockRestore();
    expect(() => {
      report.throwIfFailed();
    }).toThrow(`1 problem(s); everything else was done.\n${name}schedule "x" has 1 field`);
  });
});

test('a secret without a schedule is skipped', async () => {
  expect(await scanned({ 'restore-target': '' })).toMatchObject([{ outcome: 'skipped' }]);
});
