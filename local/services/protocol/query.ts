import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ReadRequest } from './read-request.ts';

/** The content type of the query protocol, in which a form names the action. */
export const FORM = 'application/x-www-form-urlencoded';

/**
 * @returns the request with the target `query.<Action>`: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export function readQuery(content: string): ReadRequest {
  const { Action = '', ...fields } = Object.fromEntries(new URLSearchParams(content));
  return { target: `query.${Action}`, body: () => fields, reply: sendXml(Action) };
}

/** Sends a result or error of an action. */
function sendXml(action: string): ReadRequest['reply'] {
  return (response, status, body) => {
    const { __type: code, message } = z.looseObject({ __type: z.string(), message: z.string() }).partial().parse(body);
    const content =
      status === 200
        ? element(`${action}Response`, element(`${action}Result`, xmlOf(body)))
        : element('ErrorResponse', element('Error', xmlOf({ Code: code, Message: message })));
    response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': randomUUID() }).end(content);
  };
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

/** The members of a list are named like the list, without its last letter, as RDS does it. */
function xmlOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return String(value).replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  }
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => {
      const content = Array.isArray(inner)
        ? inner.map((member) => element(name.replace(/s$/, ''), xmlOf(member))).join('')
        : xmlOf(inner);
      return element(name, content);
    })
    .join('');
}
