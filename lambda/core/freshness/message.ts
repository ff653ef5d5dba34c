import type { AccountRegion, Message } from '../message.ts';
import { durationOf } from '../words/duration.ts';
import { onOneLine } from '../words/one-line.ts';
import { timeInWords } from '../words/time-in-words.ts';
import type { Missing, News, Run } from './assessment.ts';
import { type StoredDump, whenOf } from './dump-key.ts';

/** Where the secrets and their dumps are. */
export interface Place extends AccountRegion {
  readonly buckets: readonly string[];
  /** Name of the function that makes up for a missing dump. */
  readonly scanner: string;
}

/** SNS takes 262,144 bytes of text. */
const MAX_BYTES = 200_000;

/** The most urgent first. */
const TITLES: Readonly<Record<News['kind'], string>> = {
  overdue: 'overdue',
  lost: 'lost',
  late: 'late',
  'broken tags': 'with tags that cannot be followed',
  'caught up': 'caught up',
};

const KINDS = Object.keys(TITLES);

/** The message about everything that one check found out. Plain text that reads well in an e-mail and in a chat. */
export function messageOf(news: readonly News[], place: Place, now: Date): Message {
  const sorted = news.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  const counts = Object.entries(TITLES).flatMap(([kind, title]) => {
    const count = news.filter((one) => one.kind === kind).length;
    return count === 0 ? [] : [`${count} ${title}`];
  });
  const blocks = [`Dumps of account ${place.account} in ${place.region}: ${counts.join(', ')}.`];
  let bytes = 0;
  for (const [index, one] of sorted.entries()) {
    const block = blockOf(one, place, now).join('\n');
    bytes += Buffer.byteLength(block);
    if (bytes > MAX_BYTES) {
      blocks.push(`… and ${sorted.length - index} more, which are in the log of Freshness.`);
      break;
    }
    blocks.push(block);
  }
  return { subject: `AutoDump: ${counts.join(', ')}`.slice(0, 99), text: `${blocks.join('\n\n')}\n` };
}

function blockOf(news: News, place: Place, now: Date): readonly string[] {
  const again = 'again' in news && news.again ? 'still ' : '';
  const title = `${`${again}${TITLES[news.kind]}`.toUpperCase()}: ${news.secret}`;
  if (news.kind === 'broken tags') {
    return [
      title,
      `Reason: ${onOneLine(news.reason)}. It is not dumped.`,
      'What to do: docs/operations.md#tags-that-cannot-be-followed',
    ];
  }
  const missing = timesOf(news.missing, news.timezone);
  const newest = `Newest dump: ${newestOf(news.newest, place)}`;
  if (news.kind === 'caught up') {
    return [title, `Was missing: ${missing}`, newest, 'What to do: nothing'];
  }
  const since = durationOf(now.getTime() - Date.parse(news.missing.first));
  return [
    title,
    `Missing: ${missing}`,
    `Since: ${since} ago`,
    newest,
    `Its run: ${runOf(news.run)}`,
    `What to do: docs/operations.md#dump-${news.kind}`,
    ...(news.kind === 'late' ? [] : [`To dump it now: ${dumpNowCommand(news.secret, place)}`]),
  ];
}

/** For a shell. Names of secrets contain no quotation marks. */
function dumpNowCommand(secret: string, { region, scanner }: Place): string {
  const payload = JSON.stringify({ dumpNow: secret });
  return (
    `aws lambda invoke --region ${region} --function-name ${scanner} --cli-binary-format raw-in-base64-out ` +
    `--payload '${payload}' /dev/stdout`
  );
}

function timesOf({ first, last, count }: Missing, timezone: string): string {
  return count === 1
    ? `the dump scheduled for ${timeInWords(last, timezone)}`
    : `${count} dumps, scheduled from ${timeInWords(first, timezone)} to ${timeInWords(last, timezone)}`;
}

function newestOf(newest: StoredDump | undefined, { buckets }: Place): string {
  return newest === undefined
    ? `none in ${buckets.join(', ')}`
    : `s3://${newest.bucket}/${newest.key}, scheduled for ${whenOf(newest.key) ?? ''}`;
}

function runOf(run: Run): string {
  switch (run.status) {
    case 'none':
      return 'Step Functions has none';
    case 'going':
      return `is still going, ${run.execution}`;
    default:
      return `${run.status}, ${run.execution}${run.reason === undefined ? '' : `: ${onOneLine(run.reason)}`}`;
  }
}
