import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';

/** A request that an AWS SDK client sends. */
export interface Call {
  /** `ListSecrets`; of S3, `GetObject` and `PutObject`; of Lambda, `Invoke`. */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** The same for all attempts of one call. */
  readonly id: string;
}

/** What comes back: an answer of the service, or nothing but a broken connection. */
export type Answer =
  { readonly status: number; readonly body: string | Buffer; readonly type: string } | { readonly broken: string };

/** Takes a request and answers when it is time; for a request without an answer it never does. */
export type Serve = (call: Call, answer: (answer: Answer) => void) => void;

/** What the handler of the SDK asks of the module `https`, as far as it matters here. */
interface Options {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/**
 * The module `https` as the AWS SDK uses it, with the simulated world behind it: the only way out of a function.
 * The SDK's own stack is in front of it, serialization, signing, retries and all.
 */
export function door(serve: Serve): object {
  class Agent {
    destroy(): void {
      // There is no connection.
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
