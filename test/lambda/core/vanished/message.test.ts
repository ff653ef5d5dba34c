import { expect, test } from '@jest/globals';
import { vanishedMessage, vanishedNews } from '../../../../lambda/core/vanished/message.ts';

test('the message about many secrets with long names fits into what SNS takes, and says how many it leaves out', () => {
  const dump = (day: string) => ({ bucket: 'dumps', key: `${'s'.repeat(500)}/app-202611${day}T080000Z.dmp` });
  const table = `${'ä'.repeat(60)}.${'ö'.repeat(60)}`;
  const rows = {
    secret: 's'.repeat(500),
    dump: dump('22'),
    earlier: dump('21'),
    tables: Array.from({ length: 60 }, () => ({ table, before: 1_000_000, after: 0 })),
  };
  const news = Array.from({ length: 200 }, () => vanishedNews(rows, undefined));
  const { text } = vanishedMessage(news, { account: '123456789012', region: 'us-west-2' });
  expect(Buffer.byteLength(text)).toBeLessThan(262_144);
  const named = text.match(/^ROWS VANISHED/gm)?.length ?? 0;
  expect(named).toBeGreaterThan(10);
  expect(text).toContain(`… and ${200 - named} more, which are in the log of Freshness.`);
});
