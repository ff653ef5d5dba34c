import { Failure } from '../failure.ts';
import { FEW, listed } from '../listed.ts';
import { log } from '../log.ts';
import { ConnectionFailure } from '../postgres/connection/connection-failure.ts';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { type Answer, ifAnswered } from '../postgres/connection/if-answered.ts';
import type { TlsPolicy } from '../postgres/connection/tls/tls.ts';
import type { Exclusions } from '../postgres/filters/exclusions.ts';
import { changedObjects, type NamedObjects, namedObjects } from '../postgres/named-objects.ts';

/**
 * Refuses a dump if objects that other definitions may name were dropped or renamed while pg_dump read these. It lists
 * objects as of its snapshot, and has the server write their definitions as of then: with a name that the dump does not
 * create, or, of a function that is gone, without its arguments. No restore takes that, and converting the archive to
 * SQL does not notice.
 *
 * Called before pg_dump is started.
 *
 * @returns a function to be called once pg_dump has read all definitions; it throws a {@link Failure}, `tryAgain`
 */
export async function watchForDdl(
  source: ConnectionSettings,
  policy: TlsPolicy,
  exclusions: Exclusions,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const before = await namesNow(source, policy, exclusions, signal);
  if ('unseen' in before) {
    noteUnseen(before.unseen);
    return () => Promise.resolve();
  }
  return async () => {
    const after = await namesNow(source, policy, exclusions, signal);
    if ('unseen' in after) {
      noteUnseen(after.unseen);
    } else {
      refuseDdl(before.value, after.value);
    }
  };
}

function noteUnseen(reason: string): void {
  log(`Note: whether DDL interferes is not checked: ${reason}`);
}

function refuseDdl(before: NamedObjects, after: NamedObjects): void {
  const changed = changedObjects(before, after);
  if (changed.length > 0) {
    throw new Failure(
      'tryAgain',
      'DDL in another session interfered: since just before pg_dump was started, these were dropped or got another name ' +
        `or schema, so that the dump might name what it does not have: ${listed(changed, FEW)}.`,
    );
  }
}

/** A limit on connections, for example, may leave none beside that of pg_dump, which the dump does not depend on. */
async function namesNow(
  source: ConnectionSettings,
  policy: TlsPolicy,
  exclusions: Exclusions,
  signal: AbortSignal,
): Promise<Answer<NamedObjects>> {
  try {
    return await withConnection(source, policy, signal, (client) =>
      ifAnswered(client, 'names of objects', (asked) => namedObjects(asked, exclusions)),
    );
  } catch (error) {
    if (!(error instanceof ConnectionFailure)) {
      throw error;
    }
    return { unseen: error.message };
  }
}
