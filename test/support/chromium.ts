import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian and the machines of GitHub have it. */
const PROGRAM = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** It is root in a container, has no GPU there, and is to ask nothing of the network by itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** In CI, where it has to be installed, tests that need it fail without it. */
const isWanted = PROGRAM !== undefined || process.env.CI !== undefined;

/** As `describe`, where Chromium is installed. */
export const whereChromiumIsInstalled = isWanted ? describe : describe.skip;

if (!isWanted) {
  process.stderr.write(
    'Tests of pages are skipped without Chromium: on Debian, "apt-get install chromium" installs it.\n',
  );
}

/** Starts a headless browser with a new profile for the tests of a group. @returns it, once they run */
export function browser(): () => Browser {
  let started: Browser | undefined;
  beforeAll(async () => {
    started = await chromium.launch({ executablePath: PROGRAM ?? 'chromium is not installed', args: FLAGS });
  });
  afterAll(() => started?.close());
  return () => {
    if (started === undefined) {
      throw new Error('The browser is started before the tests, not while they are declared.');
    }
    return started;
  };
}

/** How a page is looked at. */
export interface Screen {
  /** In pixels. */
  readonly width: number;
  readonly colorScheme: 'light' | 'dark';
}

/** A narrow and a wide window, in both themes. */
export const SCREENS: readonly (readonly [name: string, screen: Screen])[] = [400, 1400].flatMap((width) =>
  (['light', 'dark'] as const).map(
    (colorScheme) => [`${width} pixels wide, ${colorScheme}`, { width, colorScheme }] as const,
  ),
);

const ADDRESS = 'http://page.test/';

/**
 * Shows a page of HTML, from which no request gets out.
 *
 * @param look is also given what the page has asked for beside itself
 */
export async function show<T>(
  started: Browser,
  body: string,
  { width = 1400, colorScheme = 'light' }: Partial<Screen>,
  look: (page: Page, requests: readonly string[]) => Promise<T>,
): Promise<T> {
  const page = await started.newPage({ viewport: { width, height: 900 }, colorScheme });
  const requests: string[] = [];
  try {
    await page.route('**', async (route, request) => {
      if (request.url() === ADDRESS) {
        await route.fulfill({ contentType: 'text/html', body });
      } else {
        requests.push(request.url());
        await route.abort();
      }
    });
    await page.goto(ADDRESS);
    return await look(page, requests);
  } finally {
    await page.close();
  }
}
