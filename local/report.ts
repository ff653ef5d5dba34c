import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Permissions } from './services/iam/iam.ts';
import type { Happening } from './services/trace.ts';

/** Longest text of a result that is shown. */
const LONGEST = 200;

/** What the local run ends with. */
export interface Summary {
  readonly status: 'succeeded';
  /** ARN of the execution. */
  readonly execution: string;
  readonly secretArn: string;
  /** UTC, RFC 3339. */
  readonly scheduledFor: string;
  /** Time of the next run, null if it is too far away to be waited for. */
  readonly next: string | null;
  readonly dump: {
    readonly bucket: string;
    readonly key: string;
    /** Absolute. */
    readonly file: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly verified: true;
    /** Absolute path of the manifest. */
    readonly manifest: string;
  };
  readonly permissions: Permissions;
}

/** What only people are told. */
export interface Told {
  readonly proof: string;
  readonly restore: string;
}

/** Writes to people what happens, each line with the seconds since the start. */
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

  done(what: string, result: string): void {
    this.line(`${this.#style('green', '✓')} ${what}: ${result}`);
  }

  happened(happening: Happening): void {
    const text = describe(happening);
    if (text !== undefined) {
      this.line(text);
    }
  }

  failed(step: string, reason: string): void {
    this.line(`${this.#style('red', '✗')} Failed at the step "${step}".`);
    this.#output.write(`\n${reason}\n`);
  }

  summary({ dump, next, permissions, scheduledFor }: Summary, { proof, restore }: Told): void {
    this.heading('The dump is done, and proven');
    const rows = [
      ['Dump', dump.file],
      ['Manifest', dump.manifest],
      ['Size', `${dump.bytes.toLocaleString('en')} bytes, SHA-256 ${dump.sha256}`],
      ['Proof', proof],
      ['Scheduled', `${scheduledFor} (the wait until then was skipped)`],
      ['Next run', next ?? 'too far away to be waited for yet'],
      ['IAM', `${permissions.calls} calls decided by the policies of the stack, ${permissions.denied} denied`],
      ['Restore', restore],
    ];
    for (const [name = '', value = ''] of rows) {
      this.#output.write(`  ${this.#style('bold', name.padEnd(9))}  ${value}\n`);
    }
  }

  #style(style: 'bold' | 'dim' | 'green' | 'red', text: string): string {
    // The check of the stream includes NO_COLOR.
    return styleText(style, text, { stream: this.#output, validateStream: true });
  }
}

/** A sentence for people; undefined for what others tell already. */
function describe(happening: Happening): string | undefined {
  switch (happening.kind) {
    case 'call denied':
      return `AWS would refuse this: ${happening.message}`;
    case 'event':
      return `Event ${happening.name} of ${happening.source} is on the event bus`;
    case 'rule matched':
      return `Rule ${happening.rule} matches: it invokes ${happening.target}`;
    case 'function invoked':
      return `${happening.name} runs${happening.description === '' ? '' : `: ${happening.description}`}`;
    case 'function ended': {
      const { name, seconds, result } = happening;
      const outcome =
        result.kind === 'returned'
          ? `returned ${shortened(JSON.stringify(result.payload))}`
          : `failed with ${result.error.errorType}: ${shortened(result.error.errorMessage)}`;
      return `${name} ${outcome} (${seconds.toFixed(1)} s)`;
    }
    case 'dead letter':
      return `The event for ${happening.name} was given up on, and went to ${happening.destination}`;
    case 'execution started':
      return `Execution ${happening.execution.name} started`;
    case 'waiting':
      return `It waits until ${utc(happening.until)}`;
    case 'task entered':
      return undefined;
    case 'task retried':
      return `"${happening.state}" failed and is tried again; on AWS the pause before would be longer`;
    case 'execution ended':
      return happening.execution.end?.status === 'ABORTED'
        ? undefined
        : `Execution ${happening.execution.name} ended: ${happening.execution.end?.status ?? ''}`;
    case 'job started':
      return `Batch job ${happening.name} started${happening.attempt === 1 ? '' : ` (attempt ${happening.attempt})`}`;
    case 'job said':
      return `  | ${happening.line}`;
    case 'job ended': {
      const { exitCode, tryAgain } = happening;
      return `Batch job ended with exit status ${exitCode}${tryAgain ? ', and is tried again' : ''}`;
    }
  }
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

/** RFC 3339, whole seconds. */
export function utc(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
