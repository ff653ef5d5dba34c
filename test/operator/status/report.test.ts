import { expect, test } from '@jest/globals';
import { type Paint, reportOf } from '../../../operator/status/report.ts';
import { STATUS } from '../../lambda/core/status/examples.ts';

const NOW = new Date('2026-11-22T10:02:00Z');
const plain: Paint = (_, text) => text;

function report(names: readonly string[], width = Infinity, paint = plain): string {
  const secrets = STATUS.secrets.filter(({ secret }) => names.includes(secret));
  return reportOf({ ...STATUS, secrets }, NOW, paint, width).join('\n');
}

test('the report is a table, with what is wrong below each secret, and ages as of now', () => {
  expect(report(['prod/customers', 'prod/typo', 'staging/new', 'prod/orders', 'prod/unproven'])).toBe(
    `
AutoDump, account 123456789012, us-west-2, as of 2026-11-22 09:30 UTC (32m ago)
1 overdue, 1 broken tag, 1 no dump, 2 fresh

STATE       SECRET          NEWEST DUMP  SIZE     NEXT RUN    LAST DRILL            SCHEDULE                     ROWS
overdue     prod/customers  1d 3h ago    1.48 GB  in 20h 58m                        00:00 daily, America/Denver  48,211,034
    Missing: 3 from 2026-11-20 07:00 UTC to 2026-11-22 07:00 UTC
    There is no run for it.
broken tag  prod/typo       1d 3h ago    1.48 GB  none                              "every day", America/Denver  48,211,034
    schedule "every day" has 2 fields: allowed are five fields
no dump     staging/new     none                  in 20h 58m                        00:00 daily, America/Denver
fresh       prod/orders     3h 2m ago    1.48 GB  in 20h 58m  equal 1d 1h ago, 41m  00:00 daily, America/Denver  48,211,034
fresh       prod/unproven   3h 2m ago    1.48 GB  in 20h 58m                        00:00 daily, America/Denver
    It has no manifest.`.trim(),
  );
});

test('a secret whose dumps were never searched for, and a next run that is due, are reported as such', () => {
  const [, entry] = STATUS.secrets;
  const secrets =
    entry === undefined ? [] : [{ ...entry, searched: undefined, newest: undefined, next: '2026-11-22T09:42:00Z' }];
  const [, , , , row] = reportOf({ ...STATUS, secrets }, NOW, plain, Infinity);
  expect(row).toMatch(/ {2}not searched +due 20m ago {2}/);
});

test.each([
  [80, 'STATE    SECRET          NEWEST DUMP  SIZE     NEXT RUN    LAST DRILL'],
  [45, 'STATE    SECRET          NEWEST DUMP  SIZE'],
  [10, 'STATE    SECRET'],
])('a terminal of %d columns shows those that fit, the most important ones', (width, titles) => {
  expect(report(['prod/customers'], width).split('\n')).toContain(titles);
});

test('colors are on what they are about only', () => {
  const marked = report(['prod/customers', 'prod/orders'], 20, (style, text) => `<${style}>${text}</${style}>`);
  expect(marked.split('\n').slice(1)).toEqual([
    '<red>1 overdue</red>, <green>1 fresh</green>',
    '',
    '<dim>STATE    SECRET</dim>',
    '<red>overdue</red>  prod/customers',
    expect.anything(),
    expect.anything(),
    '<green>fresh</green>    prod/orders',
  ]);
});

test('nothing in a status controls the terminal', () => {
  const [entry] = STATUS.secrets.filter(({ secret }) => secret === 'prod/typo');
  const schedule = { expression: '\u001b[2J\u202e', timezone: 'a\nb' };
  const hostile = {
    ...STATUS,
    secrets: entry === undefined ? [] : [{ ...entry, reason: '\u001b]0;x\u0007', schedule }],
  };
  const text = reportOf(hostile, NOW, plain, Infinity).join('\n');
  expect(text).toContain('"[2J", ab');
  expect(text).not.toMatch(/[^\P{C}\n]/u);
});

test('on request it says where the newest dumps are, and what the last drills compared', () => {
  const secrets = STATUS.secrets.filter(({ secret }) => ['prod/orders', 'staging/new'].includes(secret));
  const lines = reportOf({ ...STATUS, secrets }, NOW, plain, Infinity, true).filter((line) => line.startsWith(' '));
  expect(lines).toEqual([
    '    Newest dump: s3://dumps/prod/orders/orders-20261122T070000Z.dmp',
    '    Last drill: 212 of 212 tables equal',
  ]);
});

test('of several databases it says how many are dumped, unless all are', () => {
  const [entry] = STATUS.secrets.filter(({ secret }) => secret === 'prod/orders');
  const lines = (dumped: number): readonly string[] => {
    const databases = { dumped, expected: 40, missing: [] };
    const newest = entry?.newest && { ...entry.newest, databases };
    const secrets = entry === undefined ? [] : [{ ...entry, newest }];
    return reportOf({ ...STATUS, secrets }, NOW, plain, Infinity, true).slice(4, 6);
  };
  expect(lines(40)).toEqual([
    expect.stringContaining(' 3h 2m ago  '),
    '    Newest dump: s3://dumps/prod/orders/orders-20261122T070000Z.dmp, and 39 of other databases',
  ]);
  expect(lines(38)[0]).toContain(' 3h 2m ago, 38 of 40  ');
});

test('rows that vanished are below their secret, those that lost most unless all are asked for', () => {
  const secrets = STATUS.secrets.filter(({ secret }) => secret === 'prod/accounts');
  const notes = (isDetailed: boolean) =>
    reportOf({ ...STATUS, secrets }, NOW, plain, Infinity, isDetailed)
      .filter((line) => line.startsWith('    Rows'))
      .map((line) => line.trim());
  const last = (day: string) =>
    `the last dump that has them: s3://dumps/prod/accounts/accounts-202611${day}T070000Z.dmp`;
  const worst = [
    `Rows vanished: public.accounts had 1,204,331, now 3,120; ${last('20')}`,
    `Rows vanished: public.logins had 52,000, now gone; ${last('20')}`,
    `Rows vanished: public.sessions had 12,040, now 0; ${last('21')}`,
  ];
  expect(notes(false)).toEqual([...worst, 'Rows vanished: 1 more table']);
  expect(notes(true)).toEqual([...worst, `Rows vanished: public.mails had 10,000, now 700; ${last('20')}`]);
});

test('a secret of which only drills are on a schedule has no dumps', () => {
  expect(report(['prod/reporting']).split('\n').at(-1)).toMatch(
    /^drills only +prod\/reporting .*equal 1d 1h ago, 41m +no dumps$/,
  );
});

test('without secrets it says so', () => {
  expect(report([]).split('\n').slice(1)).toEqual(['No secret is on a schedule.']);
});

test('a drill in trouble is told below its secret', () => {
  const lines = report(['prod/ledger', 'prod/archive']).split('\n');
  expect(lines.slice(1)).toEqual([
    '1 drill overdue, 1 drill failed',
    '',
    expect.stringMatching(/^STATE/),
    expect.stringMatching(/^drill overdue {2}prod\/archive .* none +00:00 daily/),
    '    Drills without evidence: 2026-11-21 08:00 UTC',
    '    There is no run for its drill.',
    expect.stringMatching(/^drill failed {3}prod\/ledger .* different 1d 1h ago, 41m +00:00 daily/),
    '    The verdict is different: 211 of 212 tables are equal; public.orders has other rows',
  ]);
});
