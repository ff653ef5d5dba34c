import type { Clock } from '../runtime/clock.ts';
import type { Answer, Call } from '../runtime/fake-https.ts';
import type { Faults } from '../runtime/faults.ts';
import type { Invocation } from './lambda/invocation.ts';

const MINUTE = 60_000;

const CALL_FAULTS = {
  throttled: 0.02,
  'server error': 0.01,
  'answer lost': 0.01,
  'crash before': 0.003,
  'crash after': 0.003,
  'no answer': 0.001,
  'slow answer': 0.002,
};
/** A slow listing makes a scan continue in another invocation. */
const LISTING_FAULTS = { ...CALL_FAULTS, 'slow answer': 0.02 };
const OUTAGE_FAULTS = { throttled: 0.5, 'server error': 0.5 };
/** Too long for Hash and Reschedule, and so long for the Scanner that it has to continue in another invocation. */
const SLOW_ANSWER = 13.5 * MINUTE;

/** Error responses that the functions handle as results. */
const EXPECTED_ERRORS = ['ResourceNotFoundException', 'ExecutionAlreadyExists', 'ExecutionDoesNotExist', 'NoSuchKey'];

/** The network between functions and services: delays calls, and injects faults into them. */
export class CallFaults {
  readonly #clock: Clock;
  readonly #faults: Faults;

  constructor(clock: Clock, faults: Faults) {
    this.#clock = clock;
    this.#faults = faults;
  }

  /**
   * Passes a request to a service and its answer back, unless a fault comes between.
   *
   * @param serve lets the service act
   * @param crash makes the function crash
   */
  pass(
    invocation: Invocation,
    call: Call,
    { serve, answer, crash }: { serve: () => Answer; answer: (answer: Answer) => void; crash: () => void },
  ): void {
    const { operation, id } = call;
    const subject = subjectOf(call);
    const outage = this.#faults.outage(operation);
    const { kind, latency } = this.#faults.decide(
      `${invocation.function.name}|${operation}|${subject}`,
      outage ? OUTAGE_FAULTS : operation === 'ListSecrets' ? LISTING_FAULTS : CALL_FAULTS,
    );
    if (kind !== undefined && (outage || kind === 'no answer' || kind === 'slow answer')) {
      invocation.delayed = true;
    }
    const record = { operation, subject, mayFail: isForStatus(call), failed: true };
    invocation.calls.set(id, record);
    this.#clock.at(this.#clock.now + latency / 2, () => {
      if (kind === 'crash before') {
        crash();
      }
      if (kind === 'crash before' || invocation.killed) {
        return;
      }
      const response = respond(call, kind, serve);
      this.#clock.at(this.#clock.now + (kind === 'slow answer' ? SLOW_ANSWER : latency / 2), () => {
        if (kind === 'crash after') {
          crash();
        }
        if (kind === 'crash after' || kind === 'no answer') {
          return;
        }
        record.failed = isFailure(response);
        answer(response);
      });
    });
  }
}

function respond(call: Call, kind: string | undefined, serve: () => Answer): Answer {
  if (kind === 'throttled') {
    return errorResponse(call, 'Throttling', 429);
  }
  if (kind === 'server error') {
    return errorResponse(call, 'InternalError', 500);
  }
  const response = serve();
  return kind === 'answer lost' ? { broken: 'socket hang up' } : response;
}

/** The status says that a manifest or evidence could not be read, and a later check tries again. */
function isForStatus({ operation, input }: Call): boolean {
  return operation === 'GetObject' && /\.dmp(\.drill-\w+)?\.json$/.test(new URL(String(input.url)).pathname);
}

/**
 * The ARN of the secret or execution that a call concerns, the prefix that it lists, or the key that it reads; empty if
 * it concerns none.
 */
function subjectOf(call: Call): string {
  const { operation, input } = call;
  if (operation === 'DescribeSecret') {
    return String(input.SecretId);
  }
  if (operation === 'StartExecution') {
    return /"secretArn":"([^"]+)"/.exec(String(input.input))?.[1] ?? '';
  }
  if (operation === 'DescribeExecution') {
    return String(input.executionArn);
  }
  if (operation === 'ListObjectsV2') {
    return new URL(String(input.url)).searchParams.get('prefix') ?? '';
  }
  return isForStatus(call) ? decodeURIComponent(new URL(String(input.url)).pathname.slice(1)) : '';
}

function errorResponse({ operation }: Call, name: string, status: number): Answer {
  const error = `<Error><Code>${name}</Code></Error>`;
  if (operation === 'Publish') {
    return { status, body: `<ErrorResponse>${error}</ErrorResponse>`, type: 'text/xml' };
  }
  return operation.includes('Object')
    ? { status, body: error, type: 'application/xml' }
    : { status, body: JSON.stringify({ __type: `${name}Exception` }), type: 'application/x-amz-json-1.1' };
}

function isFailure(answer: Answer): boolean {
  if ('broken' in answer) {
    return true;
  }
  return answer.status >= 400 && !EXPECTED_ERRORS.some((name) => answer.body.includes(name));
}
