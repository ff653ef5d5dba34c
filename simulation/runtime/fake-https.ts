import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';

/** A request sent by an AWS SDK client. */
export interface Call {
  /** Such as `ListSecrets`; for S3 `GetObject` or `PutObject`, for Lambda `Invoke`. */
  readonly operation: string;
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
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/**
 * A stand-in for the module `https` that sends every request to the simulated world. It is the only exit from a function;
 * everything above it is the real AWS SDK: serialization, signing, retries.
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
    const target = this.#header('x-amz-target');
    const method = { GET: 'GetObject', PUT: 'PutObject', POST: 'Invoke' }[this.#options.method] ?? this.#options.method;
    return {
      operation: target === '' ? method : target.replace(/^.*\./, ''),
      input: target === '' ? { path: this.#options.path } : (JSON.parse(body.toString()) as Call['input']),
      body,
      id: this.#header('amz-sdk-invocation-id'),
    };
  }

  #header(name: string): string {
    const value =
      this.#options.headers[name] ?? this.#options.headers[name.replace(/\b[a-z]/g, (c) => c.toUpperCase())];
    return typeof value === 'string' ? value : '';
  }
}
