import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { listen, type Loopback } from '../../host/loopback.ts';
import { signerOf } from './credentials.ts';

/** An error answer of a service: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export class ServiceError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Takes the JSON of a request and who signed it, and gives the answer, in which dates are still dates. */
export type Operation = (request: unknown, caller: string) => object | Promise<object>;

/** An operation, its request checked first: a field that is not in the schema is not served here, and refused. */
export function operation<Request>(schema: z.ZodType<Request>, answer: (request: Request) => object): Operation {
  return (request) => {
    const parsed = schema.safeParse(request);
    if (!parsed.success) {
      throw new ServiceError('ValidationException', z.prettifyError(parsed.error));
    }
    return answer(parsed.data);
  };
}

/**
 * Serves the AWS JSON protocols 1.0 and 1.1 on a free port of loopback, to those alone whom keys were issued to: one of
 * the operations hands out passwords.
 *
 * @param find the operation for a value of the header `X-Amz-Target`, such as `secretsmanager.CreateSecret`
 */
export async function serve(find: (target: string) => Operation | undefined): Promise<Loopback> {
  return await listen(
    createServer((request, response) => {
      void answer(find, request, response);
    }),
  );
}

async function answer(
  find: (target: string) => Operation | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = String(request.headers['x-amz-target']);
  try {
    const caller = signerOf(request.headers.authorization);
    if (caller === undefined) {
      throw new ServiceError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    const body: unknown = JSON.parse(await text(request));
    const called = find(target);
    if (called === undefined) {
      throw new ServiceError('UnknownOperationException', `${target} is not served here.`);
    }
    send(response, 200, await called(body, caller));
  } catch (error) {
    if (error instanceof ServiceError) {
      send(response, 400, { __type: error.code, message: error.message });
    } else {
      send(response, 500, { __type: 'InternalFailure', message: String(error) });
    }
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(epochSeconds(body)));
}

/** Dates as these protocols write them: seconds since 1970. */
function epochSeconds(value: unknown): unknown {
  if (value instanceof Date) {
    return value.getTime() / 1000;
  }
  if (Array.isArray(value)) {
    return value.map(epochSeconds);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, epochSeconds(inner)]));
}
