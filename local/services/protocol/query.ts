import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ReadRequest } from './read-request.ts';

/** The content type of the query protocol, in which a form names the action. */
export const FORM = 'application/x-www-form-urlencoded';

/** @returns the request with the target `query.<Action>`: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
export function readQuery(content: string): ReadRequest {
  const { Action = '', ...fields } = Object.fromEntries(new URLSearchParams(content));
  return { target: `query.${Action}`, body: () => fields, reply: sendXml };
}

/** A result or error of the query protocol. */
function sendXml(response: ServerResponse, status: number, body: object): void {
  const fields = Object.entries(body).map(([name, value]) => `<${name}>${String(value)}</${name}>`);
  const { __type: code, message } = z.looseObject({ __type: z.string(), message: z.string() }).partial().parse(body);
  const content =
    status === 200
      ? `<Response><Result>${fields.join('')}</Result></Response>`
      : `<ErrorResponse><Error><Code>${code ?? ''}</Code><Message>${message ?? ''}</Message></Error></ErrorResponse>`;
  response.writeHead(status, { 'content-type': 'text/xml' }).end(content);
}
