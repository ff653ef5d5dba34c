import { expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { Status } from '../../../../contract.ts';
import { pageOf } from '../../../../lambda/core/status/page.ts';
import { browser, type Screen, SCREENS, show, whereChromiumIsInstalled } from '../../../support/chromium.ts';
import { STATUS, statusOfMany } from './examples.ts';

whereChromiumIsInstalled('the page in a browser', () => {
  const started = browser();

  /** Opens the page of a status. */
  function open<T>(
    status: Status,
    screen: Partial<Screen>,
    look: (page: Page, requests: readonly string[]) => Promise<T>,
  ): Promise<T> {
    return show(started(), pageOf(status), screen, look);
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
        expect(requests).toEqual([]);
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
      expect(requests).toEqual([]);
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

  /** Seconds of the processor, so that they do not depend on what else the machine does. */
  async function secondsToRender(secrets: number): Promise<number> {
    const page = await started().newPage();
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    await page.setContent(pageOf(statusOfMany(secrets)));
    const { metrics } = await session.send('Performance.getMetrics');
    await page.close();
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
  }

  test('ten times as many secrets take at most twenty times as long to render', async () => {
    const [few, many] = [await secondsToRender(100), await secondsToRender(1000)];
    expect(few).toBeGreaterThan(0);
    expect(many).toBeLessThan(20 * few);
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
