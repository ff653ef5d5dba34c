import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Permissions } from './services/iam/iam.ts';
import type { TraceEvent } from './services/trace.ts';

/** Length, in characters, to which results of functions are cut. */
const MAX_RESULT_LENGTH = 200;

/** Result of the local run, printed as JSON by `--json`. */
export interface Summary {
  readonly status: 'succeeded';
  /** ARN of the execution. */
  readonly execution: string;
  readonly secretArn: string;
  /** UTC, RFC 3339. */
  readonly scheduledFor: string;
  /** Time of the next run; null if it is too far in the future to be scheduled yet. */
  readonly next: string | null;
  readonly dump: {
    readonly bucket: string;
    readonly key: string;
    /** Absolute path. */
    readonly file: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly verified: true;
    /** Absolute path of the manifest. */
    readonly manifest: string;
  };
  /** Of the drill of this dump. */
  readonly drill: {
    readonly verdict: 'equal';
    /** Absolute path. */
    readonly evidence: string;
    /** From the start of the drill to a usable database. */
    readonly seconds: number;
    readonly tables: { readonly total: number; readonly equal: number };
    /** Of the equal tables. */
    readonly rows: number;
  };
  /** Absolute paths of the pages for a browser that the stack has written. */
  readonly pages: readonly string[];
  readonly permissions: Permissions;
}

/** Parts of the result that are only in the text report. */
export interface ReportDetails {
  /** How the dump was proven. */
  readonly proof: string;
  /** Command that restores the dump. */
  readonly restore: string;
}

/** Prints the progress and the result as text; each line begins with the seconds since the start. */
export class Reporter {
  readonly #output: Writable;
  readonly #started = performance.now();

  constructor(output: Writable) {
    this.#output = output;
  }

  heading(text: string): void {
    this.#output.write(`\n${this.#style('bold', text)}\n`);
  }

  line(text: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1).padStart(6);
    this.#output.write(`${this.#style('dim', `${seconds} s`)}  ${text}\n`);
  }

  done(step: string, result: string): void {
    this.line(`${this.#style('green', '✓')} ${step}: ${result}`);
  }

  event(event: TraceEvent): void {
    const text = describe(event);
    if (text !== undefined) {
      this.line(text);
    }
  }

  failed(what: string, reason: string): void {
    this.line(`${this.#style('red', '✗')} ${what}`);
    this.#output.write(`\n${reason}\n`);
  }

  summary({ dump, drill, next, pages, permissions, scheduledFor }: Summary, { proof, restore }: ReportDetails): void {
    this.heading('The dump is complete, proven and drilled');
    const rows = [
      ['Dump', dump.file],
      ['Manifest', dump.manifest],
      ['Size', `${dump.bytes.toLocaleString('en')} bytes, SHA-256 ${dump.sha256}`],
      ['Proof', proof],
      ['Drill', drillInWords(drill)],
      ['Evidence', drill.evidence],
      ['Scheduled', `${scheduledFor} (the wait until then was skipped)`],
      ['Next run', next ?? 'too far in the future to be scheduled yet'],
      ...pages.map((page) => ['Page', page]),
      ['IAM', `${permissions.calls} calls checked against the stack's policies, ${permissions.denied} denied`],
      ['Restore', restore],
    ];
    for (const [name = '', value = ''] of rows) {
      this.#output.write(`  ${this.#style('bold', name.padEnd(9))}  ${value}\n`);
    }
  }

  #style(style: 'bold' | 'dim' | 'green' | 'red', text: string): string {
    // Validating the stream also honors NO_COLOR.
    return styleText(style, text, { stream: this.#output, validateStream: true });
  }
}

function drillInWords({ seconds, tables, rows, verdict }: Summary['drill']): string {
  const number = (count: number): string => count.toLocaleString('en');
  return `restored in ${seconds} s: ${number(tables.equal)} of ${number(tables.total)} tables with ${number(rows)} rows, ${verdict}`;
}

/** @returns undefined for events that have no effect, or that other events already imply */
function describe(event: TraceEvent): string | undefined {
  switch (event.kind) {
    case 'call denied':
      return `AWS would deny this: ${event.message}`;
    case 'event':
      return event.isMatched ? `Event ${event.name} from ${event.source} is on the event bus` : undefined;
    case 'rule matched':
      return `Rule ${event.rule} matches, for ${event.target}`;
    case 'function invoked':
      return `${event.name} is invoked${event.description === '' ? '' : `: ${event.description}`}`;
    case 'function ended': {
      const { name, seconds, result } = event;
      const outcome =
        result.kind === 'returned'
          ? `returned ${truncated(JSON.stringify(result.payload))}`
          : `failed with ${result.error.errorType}: ${truncated(result.error.errorMessage)}`;
      return `${name} ${outcome} (${seconds.toFixed(1)} s)`;
    }
    case 'message published':
      return `Message: ${event.subject}\n${event.text.trimEnd().replace(/^(?=.)/gm, '  | ')}`;
    case 'dead letter':
      return `Gave up on the event for ${event.name}; its dead letter went to ${event.destination}`;
    case 'execution started':
      return `Execution ${event.execution.name} started`;
    case 'waiting':
      return `The execution waits until ${utc(event.until)}`;
    case 'task entered':
      return undefined;
    case 'task retried':
      return `"${event.state}" failed and is retried; on AWS the delay would be longer`;
    case 'execution ended':
      return event.execution.end?.status === 'ABORTED'
        ? undefined
        : `Execution ${event.execution.name} ended: ${event.execution.end?.status ?? ''}`;
    case 'job started':
      return `Batch job ${event.name} started${event.attempt === 1 ? '' : ` (attempt ${event.attempt})`}`;
    case 'job output':
      return `  | ${event.line}`;
    case 'job ended': {
      const { exitCode, retried } = event;
      return `Batch job ended with exit status ${exitCode}${retried ? ' and is retried' : ''}`;
    }
  }
}

function truncated(text: string): string {
  return text.length <= MAX_RESULT_LENGTH ? text : `${text.slice(0, MAX_RESULT_LENGTH)}…`;
}

/** RFC 3339, whole seconds. */
export function utc(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
