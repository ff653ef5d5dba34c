import type { AccountRegion, Message } from '../message.ts';
import { onOneLine } from '../one-line.ts';
import { executionLink, logStreamLink } from './console-links.ts';
import type { Notice } from './notice.ts';

/** Where runs take place. */
export interface Place extends AccountRegion {
  /** Log group of the dump jobs. */
  readonly dumpLog: string;
}

/** Plain text that reads well in an e-mail and in a chat. */
export function messageOf(notice: Notice, place: Place): Message {
  const { kind, secret, scheduled, reasons, destination, log, execution, logStream, article } = notice;
  const title = secret === undefined ? '' : `: ${onOneLine(secret)}`;
  const next = notice.next ?? notice.noNext;
  const lines = [
    `${kind.toUpperCase()}${title}`,
    ...labeled('Scheduled', scheduled),
    ...labeled('Dump', destination),
    ...reasons.flatMap((reason) => labeled(kind === 'recovered' ? 'Before' : 'Why', reason)),
    ...labeled('Log', log),
    ...labeled('Next run', next),
    ...labeled('What to do', article === undefined ? 'nothing' : `docs/operations.md#${article}`),
    ...(execution === undefined ? [] : [`Execution: ${executionLink(execution)}`]),
    ...(execution === undefined || logStream === undefined
      ? []
      : [`Log stream: ${logStreamLink(execution, place.dumpLog, logStream)}`]),
    `Where: account ${place.account}, ${place.region}`,
  ];
  const subject = `AutoDump: ${kind}${title}`.replace(/[^ -~]/g, '?').slice(0, 99);
  return { subject, text: `${lines.join('\n')}\n` };
}

function labeled(label: string, text: string | undefined): readonly string[] {
  return text === undefined ? [] : [`${label}: ${onOneLine(text)}`];
}
