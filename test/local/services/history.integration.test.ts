import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { sessionOf } from '../../../local/services/iam/iam.ts';
import { EXTRA_BUCKET, KEY, synthesizedAppWithOptions } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld } from '../support/app-world.ts';
import { query } from '../support/database.ts';
import { roleArn } from './permissions/lifecycle.ts';

const shared = appOnPostgres(synthesizedAppWithOptions);

test('the restore job shows the history of a table, and reads no dump and no secret for that', async () => {
  const { cdkOut, folder, server } = shared();
  await query(server, 'postgres', 'create table orders as select generate_series(1, 20) as id');
  const app = await AppWorld.start(cdkOut, folder, server);
  const { world, bucket } = app;
  try {
    await world.s3.send(new CreateBucketCommand({ Bucket: EXTRA_BUCKET }));
    const secret = await app.createSecret('prod/orders', { KmsKeyId: KEY });
    await app.runNow(secret);
    await query(server, 'postgres', 'delete from orders where id > 15');
    await app.runNow(secret);
    await world.settled();
    const before = { calls: world.iam.calls.length, events: app.events.length };

    await world.submitJob({
      JobName: 'history',
      JobDefinition: 'AutoDump-restore',
      JobQueue: 'AutoDump-restore',
      ContainerOverrides: { Command: ['history', 'public.orders', '--secret', 'prod/orders'] },
    });

    const output = app.events
      .slice(before.events)
      .flatMap((event) => (event.kind === 'job output' ? [event.line] : []));
    const dumps = (await app.dumps()).map((dump) => `s3://${bucket}/${dump}`).sort();
    expect(output.filter((line) => line.includes('s3://'))).toEqual([
      expect.stringMatching(new RegExp(`  20 rows, \\d+ bytes  ${dumps[0] ?? ''}$`)),
      expect.stringMatching(new RegExp(`  15 rows, \\d+ bytes; -5 rows, -\\d+ bytes  ${dumps[1] ?? ''}$`)),
    ]);
    const principal = new RegExp(`^${sessionOf(roleArn(cdkOut, 'RestoreJob/JobRole'), '')}`);
    const calls = world.iam.calls.slice(before.calls).filter((call) => principal.test(call.principal));
    expect([...new Set(calls.map(({ action, resource }) => `${action} ${resource}`))].sort()).toEqual(
      [
        `kms:Decrypt ${KEY}`,
        ...dumps.map((dump) => `s3:GetObject arn:aws:s3:::${dump.slice('s3://'.length)}.json`),
        `s3:ListBucket arn:aws:s3:::${bucket}`,
        `s3:ListBucket arn:aws:s3:::${EXTRA_BUCKET}`,
      ].sort(),
    );
    expect(world.iam.calls.filter(({ allowed }) => !allowed)).toEqual([]);
  } finally {
    await world.stop();
  }
});
