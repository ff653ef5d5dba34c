import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { Status } from '../../../../contract.ts';
import { pageOf } from '../../../../lambda/core/status/page.ts';
import { statusOf } from '../../../../lambda/core/status/status.ts';
import { browser, whereChromiumIsInstalled } from '../../../support/chromium.ts';
import { EXAMPLES, NOW, STATUS, statusOfMany, SUBJECT } from './examples.ts';

const PICTURE = fileURLToPath(new URL('../../../../docs/status.png', import.meta.url));

const ADDRESS = 'http://status.test/';

const SCREENS = [400, 1400].flatMap((width) =>
  (['light', 'dark'] as const).map(
    (colorScheme) => [`${width} pixels wide, ${colorScheme}`, { width, colorScheme }] as const,
  ),
);

whereChromiumIsInstalled('the page in a browser', () => {
  const started = browser();

  /** Opens the page of a status, from which no request gets out. */
  async function open<T>(
    status: Status,
    { width = 1400, colorScheme = 'light' }: { readonly width?: number; readonly colorScheme?: 'light' | 'dark' },
    look: (page: Page, requests: readonly string[]) => Promise<T>,
  ): Promise<T> {
    const page = await started().newPage({ viewport: { width, height: 900 }, colorScheme });
    const requests: string[] = [];
    try {
      await page.route('**', (route, request) => {
        requests.push(request.url());
        return request.url() === ADDRESS
          ? route.fulfill({ contentType: 'text/html', body: pageOf(status) })
          : route.abort();
      });
      await page.goto(ADDRESS);
      return await look(page, requests);
    } finally {
      await page.close();
    }
  }

  test.each(SCREENS)(
    '%s: fits, has the colors of its theme, stays a table, and asks for nothing else',
    async (_, screen) => {
      await open(STATUS, screen, async (page, requests) => {
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(screen.width);
        const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        expect(background).toBe(screen.colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(18, 22, 28)');
        expect(await page.getByRole('row').count()).toBe(STATUS.secrets.length + 1);
        expect(await page.getByRole('columnheader').allTextContents()).toContain('Newest proven dump');
        expect(requests).toEqual([ADDRESS]);
      });
    },
  );

  // Contrast depends on the theme, and everything else on the width.
  test.each([SCREENS[0], SCREENS[3]].flatMap((screen) => (screen === undefined ? [] : [screen])))(
    '%s: is accessible, and its texts have the contrast of level AA',
    async (_, screen) => {
      await open(STATUS, screen, async (page) => {
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate<axe.AxeResults>('axe.run({ resultTypes: ["violations"] })');
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      });
    },
  );

  test('a name that is markup, and long, is shown and does nothing', async () => {
    const name = `<script>document.title = 'run'</script><img src=x onerror="document.title = 'run'">${'x'.repeat(400)}`;
    const secrets = STATUS.secrets.map((entry) => ({ ...entry, secret: name, reason: name }));
    await open({ ...STATUS, secrets }, { width: 400 }, async (page, requests) => {
      expect(await page.getByRole('rowheader').first().textContent()).toContain(name);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
      expect(await page.title()).toBe('AutoDump: 7 of 15 secrets need attention');
      expect(requests).toEqual([ADDRESS]);
    });
  });

  test('a count leads to the first secret in that state', async () => {
    await open(STATUS, { width: 400 }, async (page) => {
      await page.getByRole('link', { name: /fresh/ }).click();
      const target = await page.evaluate('document.querySelector("tr:target").firstElementChild.textContent');
      expect(target).toBe('✓ fresh');
      expect(await page.evaluate('document.querySelector("tr:target").previousElementSibling.textContent')).toContain(
        'late',
      );
    });
  });

  test('a state leads to what it means, and what to do', async () => {
    await open(STATUS, { width: 400 }, async (page) => {
      await page.getByRole('cell', { name: 'rows vanished' }).getByRole('link').click();
      const meaning = await page.evaluate('document.querySelector("dt:target").nextElementSibling.textContent');
      expect(meaning).toContain('docs/operations.md#rows-vanished');
    });
  });

  test('a thousand secrets are rendered within a second', async () => {
    const page = await started().newPage();
    const session = await page.context().newCDPSession(page);
    // Of the processor, so that it does not depend on what else the machine does.
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    await page.setContent(pageOf(statusOfMany(1000)));
    const { metrics } = await session.send('Performance.getMetrics');
    const seconds = metrics.find(({ name }) => name === 'TaskDuration')?.value;
    expect(seconds).toBeGreaterThan(0.01);
    expect(seconds).toBeLessThan(1);
    await page.close();
  });

  test('the picture in the docs shows what its description says (UPDATE_SNAPSHOT=true takes it anew)', async () => {
    const shown = ['orders', 'billing', 'typo', 'inventory', 'customers', 'ledger', 'accounts'].map(
      (name) => `prod/${name}`,
    );
    const examples = EXAMPLES.filter(({ secret: { name } }) => [...shown, 'staging/new'].includes(name));
    await open(statusOf(examples, SUBJECT, NOW), { width: 1280 }, async (page) => {
      expect(await page.getByText('5 of 8 secrets need attention').count()).toBe(1);
      if (process.env.UPDATE_SNAPSHOT === 'true') {
        await page.screenshot({ path: PICTURE, fullPage: true });
      }
    });
  });

  test('on paper it is light, and a table again', async () => {
    await open(STATUS, { colorScheme: 'dark' }, async (page) => {
      await page.emulateMedia({ media: 'print' });
      expect(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
      expect((await page.pdf()).subarray(0, 5).toString()).toBe('%PDF-');
      // What fits on paper is narrower than what is a list of cards on a screen.
      await page.setViewportSize({ width: 800, height: 600 });
      expect(await page.evaluate<string>('getComputedStyle(document.querySelector("td")).display')).toBe('table-cell');
    });
  });
});
