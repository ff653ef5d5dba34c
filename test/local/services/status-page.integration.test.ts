import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeAll, expect, test } from '@jest/globals';
import { DRILL_TAG, type ExecutionInput, type Purpose } from '../../../contract.ts';
import { executionName, formatWhen } from '../../../lambda/core/execution-name.ts';
import type { Execution } from '../../../local/services/execution.ts';
import { browser, SCREENS, show, whereChromiumIsInstalled } from '../../support/chromium.ts';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld, SCHEDULE_TAG } from '../support/app-world.ts';
import { query } from '../support/database.ts';
import { check, makeOverdue } from '../support/overdue.ts';

const PICTURE = fileURLToPath(new URL('../../../docs/status.png', import.meta.url));

const DAY_MS = 24 * 60 * 60_000;

/** The last midnight whose dump has to be there by now: two hours later. */
const LAST_DUE = Math.floor((Date.now() - DAY_MS / 12) / DAY_MS) * DAY_MS;

/** A secret, by its ARN, and its database. */
interface Example {
  readonly secret: string;
  readonly database: string;
}

const shared = appOnPostgres(synthesizedApp);

whereChromiumIsInstalled('the page that the stack writes', () => {
  const started = browser();
  let html: string;

  beforeAll(async () => {
    const { cdkOut, folder, server } = shared();
    const app = await AppWorld.start(cdkOut, folder, server);
    try {
      html = await pageOfTroubles(app);
    } finally {
      await app.world.stop();
    }
  });

  test.each(SCREENS)('fits into a window %s, and asks for nothing else', async (_, screen) => {
    await show(started(), html, screen, async (page, requests) => {
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(screen.width);
      const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(background).toBe(screen.colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(18, 22, 28)');
      expect(requests).toEqual([]);
    });
  });

  test('has the most urgent secrets first, as the picture in the docs (UPDATE_SNAPSHOT=true takes it anew)', async () => {
    await show(started(), html, { width: 1280 }, async (page) => {
      expect(await page.getByText('5 of 8 secrets need attention').count()).toBe(1);
      const rows = await page
        .getByRole('row')
        .filter({ has: page.getByRole('cell') })
        .all();
      const words = await Promise.all(
        rows.map(async (row) => [
          await row.getByRole('cell').first().innerText(),
          (await row.getByRole('rowheader').innerText()).split('\n')[0],
        ]),
      );
      expect(words).toEqual([
        ['✖ overdue', 'prod/customers'],
        ['✖ failing', 'prod/inventory'],
        ['✖ rows vanished', 'prod/accounts'],
        ['✖ broken tag', 'prod/typo'],
        ['✖ drill failed', 'prod/ledger'],
        ['○ no dump', 'staging/new'],
        ['✓ fresh', 'prod/billing'],
        ['✓ fresh', 'prod/orders'],
      ]);
      if (process.env.UPDATE_SNAPSHOT === 'true') {
        await page.screenshot({ path: PICTURE, fullPage: true });
      }
    });
  });
});

/** Brings secrets into several states. @returns the page about them */
async function pageOfTroubles(app: AppWorld): Promise<string> {
  const { server } = shared();

  /** Creates a secret of a new database, which is dumped daily. */
  async function create(
    name: string,
    { value = {}, tags = {} }: { readonly value?: object; readonly tags?: Readonly<Record<string, string>> } = {},
  ): Promise<Example> {
    const database = name.replace(/.*\//, '');
    await query(server, 'postgres', `create database ${database}`);
    await query(server, database, `create table ${database} (id int, hash text)`);
    const Tags = Object.entries({ [SCHEDULE_TAG]: '@daily', ...tags }).map(([Key, Value]) => ({ Key, Value }));
    return { secret: await app.createSecret(name, { value: { databasename: database, ...value }, Tags }), database };
  }

  /** Runs the dumps of days before the last one that is due, the earliest first. The database grows daily. */
  async function dump({ secret, database }: Example, ...daysBefore: readonly number[]): Promise<void> {
    for (const days of daysBefore) {
      await query(server, database, `insert into ${database} select i, md5(i::text) from generate_series(1, 5000) i`);
      await runAt(app, secret, LAST_DUE - days * DAY_MS);
    }
  }

  const drilled = { [DRILL_TAG]: '@weekly' };
  const [orders, billing, ledger, accounts, inventory, customers] = await Promise.all([
    create('prod/orders', { tags: drilled }),
    create('prod/billing'),
    create('prod/ledger', { value: { drillassert: 'SELECT count(*) > 20000 FROM public.ledger' }, tags: drilled }),
    create('prod/accounts'),
    create('prod/inventory'),
    create('prod/customers'),
    create('prod/typo', { tags: { [SCHEDULE_TAG]: 'every day' } }),
    create('staging/new'),
  ]);
  await Promise.all([
    dump(orders, 6, 5, 4, 3, 2, 1, 0).then(() => drill(app, orders.secret)),
    dump(billing, 3, 2, 1, 0),
    dump(ledger, 1, 0).then(() => drill(app, ledger.secret)),
    dump(accounts, 2, 1),
    dump(inventory, 2, 1),
    dump(customers, 5, 4, 3),
  ]);
  await check(app);
  await query(server, 'accounts', 'delete from accounts where id > 100');
  await query(server, 'postgres', 'drop database inventory');
  await Promise.all([runAt(app, accounts.secret, LAST_DUE), runAt(app, inventory.secret, LAST_DUE)]);
  for (const { secret } of [accounts, inventory, customers]) {
    await makeOverdue(app, secret);
  }
  await check(app);
  const [page = ''] = app.world.pages;
  return await readFile(page, 'utf8');
}

/** Runs the dump of a time that has passed, with the input of the one that waits. */
async function runAt(app: AppWorld, secret: string, time: number): Promise<void> {
  const waiting = waitingFor(app, secret, 'dump');
  const input: ExecutionInput = {
    ...(JSON.parse(waiting.input) as ExecutionInput),
    when: formatWhen(new Date(time)),
  };
  const name = executionName(input);
  const stateMachineArn = waiting.arn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  const client = new SFNClient(app.administrator);
  await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
  client.destroy();
  await app.runs.find((run) => run.name === name)?.ended;
}

/** Runs the drill that waits. */
async function drill(app: AppWorld, secret: string): Promise<void> {
  const waiting = waitingFor(app, secret, 'drill');
  waiting.wait?.finish();
  await waiting.ended;
}

function waitingFor(app: AppWorld, secret: string, purpose: Purpose): Execution {
  const found = app.allWaiting(secret).find(({ input }) => input.includes('"drill"') === (purpose === 'drill'));
  if (found === undefined) {
    throw new Error(`No ${purpose} of ${secret} waits.`);
  }
  return found;
}
