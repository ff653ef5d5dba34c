import { executionLink, logStreamLink } from './console-links.ts';
import type { Notice } from './notice.ts';

/** A message of SNS. */
export interface Message {
  /** At most 100 ASCII characters, as e-mail needs it. */
  readonly subject: string;
  readonly text: string;
}

/** Where runs take place. */
export interface Place {
  readonly region: string;
  readonly account: string;
  /** Log group of the dump jobs. */
  readonly dumpLog: string;
}

/** Longest reason, in characters: SNS takes 262,144 bytes of text, and a scan may have fifty. */
const MAX_REASON = 1000;

/** Plain text that reads well in an e-mail and in a chat. */
export function messageOf(notice: Notice, reasonInLog: string | undefined, place: Place): Message {
  const { kind, secret, scheduled, reasons, execution, logStream, article } = notice;
  const title = secret === undefined ? '' : `: ${secret}`;
  const lines = [
    `${kind.toUpperCase()}${title}`,
    ...(scheduled === undefined ? [] : [`Scheduled: ${scheduled}`]),
    ...reasons.map((reason) => `${kind === 'recovered' ? 'Before' : 'Why'}: ${onOneLine(reason)}`),
    ...(reasonInLog === undefined ? [] : [`Log: ${onOneLine(reasonInLog)}`]),
    ...(kind === 'scan failed' ? [] : [`Next run: ${notice.next ?? 'the next scan starts it'}`]),
    `What to do: ${article === undefined ? 'nothing' : `docs/operations.md#${article}`}`,
    ...(execution === undefined ? [] : [`Execution: ${executionLink(execution)}`]),
    ...(execution === undefined || logStream === undefined
      ? []
      : [`Log stream: ${logStreamLink(execution, place.dumpLog, logStream)}`]),
    `Where: account ${place.account}, ${place.region}`,
  ];
  return { subject: `AutoDump: ${kind}${title}`.slice(0, 99), text: `${lines.join('\n')}\n` };
}

/** A reason comes from services and people, and may contain anything. */
function onOneLine(text: string): string {
  const line = text
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
  return line.length > MAX_REASON ? `${line.slice(0, MAX_REASON)}…` : line;
}
