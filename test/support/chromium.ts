import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';

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
