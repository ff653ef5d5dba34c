import type { Purpose } from '../../../contract.ts';
import { executionLink } from '../console-links.ts';
import { type AccountRegion, fittingBlocks, type Message } from '../message.ts';
import { databasesInWords } from '../words/databases.ts';
import { durationOf } from '../words/duration.ts';
import { onOneLine } from '../words/one-line.ts';
import { timeInWords } from '../words/time-in-words.ts';
import type { Missing, News, Run } from './assessment.ts';
import { type StoredDump, whenOf } from './dump-key.ts';
import type { Incomplete } from './memory.ts';

/** Where the secrets and their dumps are. */
export interface Place extends AccountRegion {
  readonly buckets: readonly string[];
  /** Name of the function that makes up for a missing dump. */
  readonly scanner: string;
}

/** The most urgent first. Those of drills follow the word. */
const TITLES: Readonly<Record<News['kind'], string>> = {
  overdue: 'overdue',
  lost: 'lost',
  late: 'late',
  'broken tags': 'with tags that cannot be followed',
  'caught up': 'caught up',
};

/** How many names of databases a message says. */
const MAX_NAMES = 20;

const KINDS = Object.keys(TITLES);

/** AutoDump's own event about it. Kinds of events are never redefined, so those about drills have their own. */
export function eventOf({ purpose, kind, ...news }: News): { readonly kind: string } {
  return { kind: purpose === 'drill' ? `drill ${kind}` : kind, ...news };
}

/** The message about everything that one check found out. Plain text that reads well in an e-mail and in a chat. */
export function messageOf(news: readonly News[], place: Place, now: Date): Message {
  const sorted = news.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  const counts = Object.entries(TITLES).flatMap(([kind, title]) => [
    ...countOf(news, 'dump', kind, title),
    ...countOf(news, 'drill', kind, title),
  ]);
  const heading = `Dumps and drills of account ${place.account} in ${place.region}: ${counts.join(', ')}.`;
  const blocks = sorted.map((one) => blockOf(one, place, now).join('\n'));
  const text = `${[heading, ...fittingBlocks(blocks, 'in the log of Freshness')].join('\n\n')}\n`;
  return { subject: `AutoDump: ${counts.join(', ')}`.slice(0, 99), text };
}

function countOf(all: readonly News[], purpose: Purpose, kind: string, title: string): readonly string[] {
  const count = all.filter((one) => one.purpose === purpose && one.kind === kind).length;
  const what = purpose === 'dump' ? '' : count === 1 ? 'drill ' : 'drills ';
  return count === 0 ? [] : [`${count} ${what}${title}`];
}

function blockOf(news: News, place: Place, now: Date): readonly string[] {
  const { purpose } = news;
  const what = purpose === 'drill' ? 'drill ' : '';
  const again = 'again' in news && news.again ? 'still ' : '';
  const title = `${`${what}${again}${TITLES[news.kind]}`.toUpperCase()}: ${news.secret}`;
  if (news.kind === 'broken tags') {
    return [
      title,
      `Reason: ${onOneLine(news.reason)}. It is not ${purpose === 'drill' ? 'drilled' : 'dumped'}.`,
      'What to do: docs/operations.md#tags-that-cannot-be-followed',
    ];
  }
  const missing = timesOf(news.missing, purpose, news.timezone);
  const newest = `Newest ${purpose === 'drill' ? 'evidence of a drill' : 'dump'}: ${newestOf(news.newest, place)}`;
  if (news.kind === 'caught up') {
    return [title, `Was missing: ${missing}`, newest, 'What to do: nothing'];
  }
  const since = durationOf(now.getTime() - Date.parse(news.missing.first));
  return [
    title,
    `Missing: ${missing}`,
    ...(news.incomplete === undefined ? [] : [`Partly there: ${partOf(news.incomplete, news.missing)}`]),
    `Since: ${since} ago`,
    newest,
    `Its run: ${runOf(news.run)}`,
    `What to do: docs/operations.md#${purpose}-${news.kind}`,
    ...(news.kind === 'late' || purpose === 'drill' ? [] : [`To dump it now: ${dumpNowCommand(news.secret, place)}`]),
    ...('execution' in news.run ? [`Execution: ${executionLink(news.run.execution)}`] : []),
  ];
}

function partOf(incomplete: Incomplete, { count }: Missing): string {
  return `${count === 1 ? '' : 'the last one, of which '}${databasesInWords(incomplete, MAX_NAMES)}`;
}

/** For a shell. Names of secrets contain no quotation marks. */
function dumpNowCommand(secret: string, { region, scanner }: Place): string {
  const payload = JSON.stringify({ dumpNow: secret });
  return (
    `aws lambda invoke --region ${region} --function-name ${scanner} --cli-binary-format raw-in-base64-out ` +
    `--payload '${payload}' /dev/stdout`
  );
}

function timesOf({ first, last, count }: Missing, purpose: Purpose, timezone: string): string {
  return count === 1
    ? `the ${purpose} scheduled for ${timeInWords(last, timezone)}`
    : `${count} ${purpose}s, scheduled from ${timeInWords(first, timezone)} to ${timeInWords(last, timezone)}`;
}

function newestOf(newest: StoredDump | undefined, { buckets }: Place): string {
  return newest === undefined
    ? `none in ${buckets.join(', ')}`
    : `s3://${newest.bucket}/${newest.key}, scheduled for ${whenOf(newest.key) ?? ''}`;
}

function runOf(run: Run): string {
  switch (run.status) {
    case 'none':
      return 'there is none in Step Functions';
    case 'going':
      return 'still going';
    default:
      return `${run.status}${run.reason === undefined ? '' : `: ${onOneLine(run.reason)}`}`;
  }
}
