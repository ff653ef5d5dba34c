import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Failure } from '../../../../docker/failure.ts';
import { contentsOf } from '../../support/contents.ts';
import {
  type DirectoryFaults,
  type DirectoryRecording,
  recordDirectory,
  replayDirectory,
} from '../../support/directory-replay.ts';
import { runEngineHere } from '../../support/engine-here.ts';
import { Stage } from '../../support/stage.ts';

/** Only there, the beginning of a file can be freed. */
const onLinux = process.platform === 'linux' ? test : test.skip;

let stage: Stage;
let recording: DirectoryRecording;
/** The file of the table that is large enough to be read while it grows. */
let growing: string;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase(
    'app',
    'CREATE TABLE large AS SELECT i, sha512(i::text::bytea) AS noise FROM generate_series(1, 560000) i',
    'CREATE TABLE small AS SELECT i FROM generate_series(1, 2000) i',
    `SELECT lo_from_bytea(4711, 'large object')`,
  );
  recording = await recordDirectory(stage, 'app');
  const [largest] = [...recording.files].toSorted(([, one], [, other]) => other.length - one.length);
  growing = largest?.[0] ?? '';
  runEngineHere(stage);
});

afterAll(async () => {
  jest.restoreAllMocks();
  expect(await stage.openUploads()).toBe(0);
  await stage.tearDown();
});

onLinux('a large table is proven, sent and freed while it is being written, and restored equal', async () => {
  await replayDirectory(stage, 'growing', recording, { growing });
  await stage.restore('growing', 'restored');
  expect(await contentsOf(stage, 'restored')).toEqual(await contentsOf(stage, 'app'));
});

async function outcome(faults: DirectoryFaults, messages = recording.messages): Promise<Failure['reason'] | 'dump'> {
  try {
    await replayDirectory(stage, 'refused', { ...recording, messages }, { growing, ...faults });
    return 'dump';
  } catch (error) {
    expect(await stage.hasObject('refused')).toBe(false);
    if (error instanceof Failure) {
      return error.reason;
    }
    throw error;
  }
}

onLinux.each<[string, DirectoryFaults, Failure['reason']]>([
  ['pg_dump is killed', { grew: 'kill -KILL $$' }, 'tryAgain'],
  ['pg_dump fails', { grew: "echo 'pg_dump: error: x' >&2; exit 1" }, 'refused'],
  ['it shrinks', { grew: 'truncate -s 1000000 "$file"' }, 'verificationFailed'],
  [
    'bytes of it change before they are read',
    { grew: `printf x | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 9)) conv=notrunc status=none` },
    'verificationFailed',
  ],
])('no dump is stored if, while a large table is being written, %s', async (_, faults, reason) => {
  expect(await outcome(faults)).toBe(reason);
});

onLinux('no dump is stored if pg_dump did not say that a large table is finished', async () => {
  const messages = recording.messages.replace(/^.*finished item \d+ TABLE DATA large\n/m, '');
  expect(messages).not.toBe(recording.messages);
  expect(await outcome({}, messages)).toBe('verificationFailed');
});
