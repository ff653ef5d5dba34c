import { GRANTS_HEADING } from '../../../contract.ts';
import { executionLink, logStreamLink } from '../console-links.ts';
import type { AccountRegion, Message } from '../message.ts';
import { MAX_LOG_LENGTH, onOneLine } from '../words/one-line.ts';
import { timeInWords } from '../words/time-in-words.ts';
import type { Upcoming } from './ended-check.ts';
import type { Notice } from './notice.ts';

/** Where runs take place. */
export interface Place extends AccountRegion {
  /** Log group of the dump jobs. */
  readonly dumpLog: string;
}

/** More would not fit into a message, which has at most 262,144 bytes. */
const MAX_SQL_LINES = 50;

/** Plain text that reads well in an e-mail and in a chat. */
export function messageOf(notice: Notice, place: Place): Message {
  const { kind, secret, scheduled, reasons, destination, log, execution, logStream, article } = notice;
  const { seen, tagsAsOf, upcoming, findings = [], sql = [], securityGroups, timezone } = notice;
  const title = secret === undefined ? '' : `: ${onOneLine(secret)}`;
  const inZone = (time: string | undefined): string | undefined =>
    time === undefined || timezone === undefined ? time : timeInWords(time, timezone);
  const lines = [
    `${kind.toUpperCase()}${title}`,
    ...labeled('Scheduled', inZone(scheduled)),
    ...labeled('Seen', seen),
    ...labeled('Tags as of', tagsAsOf),
    ...(upcoming === undefined ? [] : upcomingLines(upcoming)),
    ...labeled('Dump', destination),
    ...reasons.flatMap((reason) => labeled(kind.endsWith('recovered') ? 'Before' : 'Why', reason)),
    ...findings.flatMap((finding) => labeled('Found', finding)),
    ...labeled("Security groups of the jobs, to allow on the database's port", securityGroups),
    ...(sql.length === 0 ? [] : [GRANTS_HEADING, ...sqlLines(sql)]),
    ...labeled('Log', log, MAX_LOG_LENGTH),
    ...labeled('Next run', inZone(notice.next) ?? notice.noNext),
    ...labeled('What to do', adviceOf(article, findings)),
    ...(execution === undefined ? [] : [`Execution: ${executionLink(execution)}`]),
    ...(execution === undefined || logStream === undefined
      ? []
      : [`Log stream: ${logStreamLink(execution, place.dumpLog, logStream)}`]),
    `Where: account ${place.account}, ${place.region}`,
  ];
  const subject = `AutoDump: ${kind}${title}`.replace(/[^ -~]/g, '?').slice(0, 99);
  return { subject, text: `${lines.join('\n')}\n` };
}

/** Good news may come with warnings. */
function adviceOf(article: string | undefined, findings: readonly string[]): string {
  if (article !== undefined) {
    return `docs/operations.md#${article}`;
  }
  return findings.length === 0 ? 'nothing' : 'read the warnings, which do not prevent a dump';
}

function upcomingLines({ when, following, timezone }: Upcoming): readonly string[] {
  const [next = '', ...then] = [when, ...following].map((time) => timeInWords(time, timezone));
  return [...labeled('Next run', next), ...labeled('Then', then.length === 0 ? undefined : then.join(', '))];
}

function sqlLines(sql: readonly string[]): readonly string[] {
  const more = sql.length - MAX_SQL_LINES;
  return [
    ...sql.slice(0, MAX_SQL_LINES).map((line) => `  ${onOneLine(line)}`),
    ...(more > 0 ? [`  -- … and ${more} more lines, which are in the log.`] : []),
  ];
}

function labeled(label: string, text: string | undefined, maxLength?: number): readonly string[] {
  return text === undefined ? [] : [`${label}: ${onOneLine(text, maxLength)}`];
}
