import { describe, expect, test } from '@jest/globals';
import type { SecretStatus, Status } from '../../../../contract.ts';
import { pageOf } from '../../../../lambda/core/status/page.ts';
import { STATUS, statusOfMany } from './examples.ts';

const HOSTILE = `"><script>alert('x')</script>&<img src=x onerror=alert(1)>\u202e`;

/** A status whose every text is hostile. */
function hostile(entry: SecretStatus): Status {
  const time = '2026-11-22T07:00:00Z';
  const secret: SecretStatus = {
    ...entry,
    secret: HOSTILE,
    secretArn: HOSTILE,
    reason: HOSTILE,
    execution: `arn:aws:states:us-west-2:1:execution:${HOSTILE}`,
    schedule: { expression: HOSTILE, timezone: HOSTILE },
    newest: { bucket: HOSTILE, key: HOSTILE, scheduledFor: time, bytes: 1 },
    manifest: { scheduledFor: time, problem: HOSTILE },
    vanished: {
      tables: [{ table: HOSTILE, before: 1, after: 0, since: time, earlier: { bucket: HOSTILE, key: HOSTILE } }],
      more: 0,
    },
  };
  return { ...STATUS, stack: HOSTILE, account: HOSTILE, region: HOSTILE, secrets: [secret] };
}

/** The names of all elements, once each. */
function elements(page: string): ReadonlySet<string> {
  return new Set([...page.matchAll(/<([a-z]\w*)/g)].map(([, name = '']) => name));
}

/** Nothing is wrong. */
const WELL = {
  overdue: 0,
  failing: 0,
  'rows vanished': 0,
  unchecked: 0,
  'broken tag': 0,
  'drill overdue': 0,
  'drill failed': 0,
};

describe('the page', () => {
  test('shows names and reasons as they are, whatever they contain', () => {
    const known = elements(pageOf(STATUS));
    for (const entry of STATUS.secrets) {
      const page = pageOf(hostile(entry));
      expect(page).toContain('&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;&#38;');
      expect([...elements(page)].filter((name) => !known.has(name))).toEqual([]);
    }
  });

  test('shows everything about a secret that has failed', () => {
    const page = pageOf({ ...STATUS, secrets: STATUS.secrets.filter(({ state }) => state === 'failing') });
    const text = page
      .replace(/.*<tbody/s, '')
      .replace(/<\/tbody.*/s, '')
      .replace(/<[^>]*>/g, '\n')
      .replace(/\s*\n\s*/g, '\n');
    expect(text).toContain(
      [
        '✖',
        'failing',
        'prod/inventory',
        'orders on orders.example.com',
        'The dump of',
        '2026-11-22 07:00 UTC',
        'is missing.',
        'Its run failed: The job ended with exit status 77, refused by the database or by AWS.',
        'Its run in the console',
        '1 d 2 h ago',
        '2026-11-21 07:00 UTC',
        '1.48 GB',
        'in dumps',
        '48,211,034 rows, made in 34\u00a0s',
        'Sizes of the last 30 dumps',
        '1.2 GB to 1.53 GB',
        'not scheduled',
        '00:00 daily',
        'America/Denver',
        'in 21 h 30 min',
        '2026-11-23 07:00 UTC',
      ].join('\n'),
    );
  });

  test.each<[string, Partial<SecretStatus>, string]>([
    ['whose newest dump was not looked for', { newest: undefined, searched: undefined }, 'not looked for yet'],
    ['without dumps', { newest: undefined, sizes: [] }, 'none'],
    [
      'with estimated rows',
      { manifest: { scheduledFor: '2026-11-22T07:00:00Z', rows: 7, rowsAre: 'estimated' } },
      'about 7 rows',
    ],
    ['with one row', { manifest: { scheduledFor: '2026-11-22T07:00:00Z', rows: 1, rowsAre: 'counted' } }, '1 row<'],
    [
      'without a manifest',
      { manifest: { scheduledFor: '2026-11-22T07:00:00Z', problem: 'It has no manifest.' } },
      'It has no manifest.',
    ],
    [
      'whose newest manifest was not read yet',
      { manifest: { scheduledFor: '2026-11-20T07:00:00Z', rows: 7, rowsAre: 'counted' } },
      '7 rows on 2026-11-20 07:00 UTC',
    ],
    [
      'with several databases',
      {
        newest: {
          ...{ bucket: 'dumps', key: 'prod/orders/crm-20261122T070000Z.dmp', scheduledFor: '2026-11-22T07:00:00Z' },
          ...{ bytes: 3000, databases: { dumped: 38, expected: 40, missing: ['crm', 'hr'] } },
        },
      },
      '>38 of 40 databases</small',
    ],
    [
      'with several databases on a host',
      { manifest: { scheduledFor: '2026-11-22T07:00:00Z', host: 'db.example.com', databases: 40 } },
      '<small>40 databases on db.example.com</small>',
    ],
    [
      'with one table that is gone',
      {
        vanished: {
          tables: [
            {
              table: 'public.t',
              before: 1,
              after: 'gone',
              since: '2026-11-22T07:00:00Z',
              earlier: { bucket: 'dumps', key: 'a-20261121T070000Z.dmp' },
            },
          ],
          more: 1234,
        },
      },
      '<li>public.t: 1 row, and now the table is gone</li>',
    ],
    ['with one dump', { sizes: [1_234_567] }, 'Size of the only dump'],
    ['with an empty dump', { sizes: [0, 0] }, '0 B<'],
  ])('says so of a secret %s', (_, change, text) => {
    const fresh = STATUS.secrets.filter(({ secret }) => secret === 'prod/orders');
    expect(pageOf({ ...STATUS, secrets: fresh.map((entry) => ({ ...entry, ...change })) })).toContain(text);
  });

  test.each<[string, Partial<Status['totals']['states']>, number]>([
    ['7 of 15 secrets need attention', {}, 15],
    ['1 of 10 secrets needs attention', { ...WELL, overdue: 1 }, 10],
    ['None of 10 secrets needs attention', WELL, 10],
    ['All 4 secrets have their dumps', WELL, 4],
    ['No secret is on a schedule', {}, 0],
  ])('begins with what matters: %s', (verdict, states, secrets) => {
    const totals = { ...STATUS.totals, secrets, states: { ...STATUS.totals.states, ...states } };
    expect(pageOf({ ...STATUS, totals })).toMatch(new RegExp(`<p class="verdict (bad)?">${verdict}`));
  });

  test('of a thousand secrets takes less than a megabyte', () => {
    expect(Buffer.byteLength(pageOf(statusOfMany(1000)))).toBeLessThan(1_000_000);
  });

  test('has a policy that lets nothing run and nothing be loaded but its style, and no address of anything else', () => {
    const page = pageOf(STATUS);
    expect(page).toContain('Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-');
    expect([...page.matchAll(/https?:\/\/[^/"]+/g)].map(([address]) => address)).toEqual([
      'https://us-west-2.console.aws.amazon.com',
      'https://us-west-2.console.aws.amazon.com',
    ]);
  });
});

test('the page names the tables that lost most rows, and the dumps that have them', () => {
  const secrets = STATUS.secrets.filter(({ secret }) => secret === 'prod/accounts');
  const text = pageOf({ ...STATUS, secrets })
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
  expect(text).toContain(
    'Rows have been missing since the dump of 2026-11-21 07:00 UTC : ' +
      'public.accounts: 1,204,331 rows, now 3,120 public.logins: 52,000 rows, and now the table is gone ' +
      'The last dump that has them: s3://dumps/prod/accounts/accounts-20261120T070000Z.dmp ' +
      'Rows have been missing since the dump of 2026-11-22 07:00 UTC : public.sessions: 12,040 rows, now 0 ' +
      'The last dump that has them: s3://dumps/prod/accounts/accounts-20261121T070000Z.dmp ' +
      '1 more table lost rows.',
  );
});

test('the page says of a secret of which only drills are on a schedule that there are no dumps', () => {
  const secrets = STATUS.secrets.filter(({ secret }) => secret === 'prod/reporting');
  const page = pageOf({ ...STATUS, secrets });
  expect(page).toContain('drills only');
  expect(page).toContain('<td role="cell"><span class="soft">none for dumps</span></td>');
});

const DRILLED_WELL = [
  'equal',
  '1 d ago',
  '2026-11-21 08:51 UTC',
  'usable after 41 min',
  '212 of 212 tables equal',
  'schedule: 01:00 on Saturday',
  'next in 5 d 22 h',
];

test.each([
  ['prod/orders', DRILLED_WELL],
  [
    'prod/ledger',
    [
      'different',
      '1 d ago',
      '2026-11-21 08:51 UTC',
      'usable after 41 min',
      '211 of 212 tables equal',
      'schedule: 01:00 on Saturday',
      'next in 5 d 22 h',
    ],
  ],
  [
    'prod/archive',
    ['none', 'schedule: 01:00 on Saturday', 'next in 5 d 22 h', 'No evidence since 2026-11-21 08:00 UTC.'],
  ],
  ['prod/billing', ['not scheduled']],
  ['prod/reporting', DRILLED_WELL],
])('the page shows the last drill of %s', (name, words) => {
  const secrets = STATUS.secrets.filter(({ secret }) => secret === name);
  const cell = pageOf({ ...STATUS, secrets }).split('<td role="cell">')[3] ?? '';
  const text = cell.replace(/<[^>]*>/g, '\n').split('\n');
  expect(text.map((line) => line.trim()).filter(Boolean)).toEqual(words);
});
