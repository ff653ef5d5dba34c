import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';

/** A request sent by an AWS SDK client. */
export interface Call {
  /** Such as `ListSecrets`; for S3 `GetObject`, `PutObject` or `ListObjectsV2`, for Lambda `Invoke`. */
  readonly operation: string;
  /** The request, or for S3 and Lambda its `url`. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** Shared by all attempts of one call. */
  readonly id: string;
}

/** The outcome of a request: a response from the service, or a broken connection. */
export type Answer =
  { readonly status: number; readonly body: string | Buffer; readonly type: string } | { readonly broken: string };

/** Handles a request, and answers it at some virtual time or never. */
export type Serve = (call: Call, answer: (answer: Answer) => void) => void;

/** The request options that the SDK passes to `https`, as far as they matter here. */
interface Options {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/**
 * A stand-in for the module `https` that sends every request to the simulated world. It is the only exit from a
 * function; everything above it is the real AWS SDK: serialization, signing, retries.
 */
export function fakeHttps(serve: Serve): object {
  class Agent {
    destroy(): void {
      // There are no connections to close.
    }
  }
  const request = (options: Options, respond: (response: Readable) => void): Request =>
    new Request(options, respond, serve);
  return { Agent, request };
}

class Request extends EventEmitter {
  readonly #options: Options;
  readonly #respond: (response: Readable) => void;
  readonly #serve: Serve;

  constructor(options: Options, respond: (response: Readable) => void, serve: Serve) {
    super();
    this.#options = options;
    this.#respond = respond;
    this.#serve = serve;
    if (this.#header('expect') === '100-continue') {
      queueMicrotask(() => this.emit('continue'));
    }
  }

  setTimeout(): this {
    return this;
  }

  destroy(): void {
    this.emit('close');
  }

  end(body: Buffer | string = ''): void {
    this.#serve(this.#call(Buffer.from(body)), (answer) => {
      if ('broken' in answer) {
        this.emit('error', Object.assign(new Error(answer.broken), { code: 'ECONNRESET' }));
        return;
      }
      const response = new Readable({ read: () => undefined });
      response.push(answer.body);
      response.push(null);
      this.#respond(Object.assign(response, { statusCode: answer.status, headers: { 'content-type': answer.type } }));
    });
  }

  #call(body: Buffer): Call {
    return { ...this.#operation(body.toString()), body, id: this.#header('amz-sdk-invocation-id') };
  }

  #operation(body: string): Pick<Call, 'operation' | 'input'> {
    const target = this.#header('x-amz-target');
    if (target !== '') {
      return { operation: target.replace(/^.*\./, ''), input: JSON.parse(body) as Call['input'] };
    }
    const { method, host, path } = this.#options;
    if (this.#header('content-type') === 'application/x-www-form-urlencoded') {
      const { Action = '', ...input } = Object.fromEntries(new URLSearchParams(body));
      return { operation: Action, input };
    }
    const operation = { GET: 'GetObject', PUT: 'PutObject', POST: 'Invoke' }[method] ?? method;
    return {
      operation: path.includes('list-type=2') ? 'ListObjectsV2' : operation,
      input: { url: `https://${host}${path}` },
    };
  }

  #header(name: string): string {
    const value =
      this.#options.headers[name] ?? this.#options.headers[name.replace(/\b[a-z]/g, (c) => c.toUpperCase())];
    return typeof value === 'string' ? value : '';
  }
}
