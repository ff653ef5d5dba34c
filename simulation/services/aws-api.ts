import { z } from 'zod';
import type { Answer, Call } from '../runtime/fake-https.ts';
import type { ObjectStore } from './object-store.ts';
import { answerOf } from './service-error.ts';

/** The services that functions call. Each request and response is that of the AWS API. */
export interface AwsServices {
  readonly objectStore: ObjectStore;
  describeSecret(request: unknown): object;
  listSecrets(request: unknown): object;
  startExecution(request: unknown): object;
  listExecutions(request: unknown): object;
  /** Invokes the Scanner asynchronously. */
  invoke(event: object): void;
}

/** Passes a call to its service. */
export function answerCall(services: AwsServices, { operation, input, body }: Call): Answer {
  switch (operation) {
    case 'DescribeSecret':
      return answerOf(() => services.describeSecret(input));
    case 'ListSecrets':
      return answerOf(() => services.listSecrets(input));
    case 'StartExecution':
      return answerOf(() => services.startExecution(input));
    case 'ListExecutions':
      return answerOf(() => services.listExecutions(input));
    case 'GetObject':
      return services.objectStore.getObject(String(input.path));
    case 'PutObject':
      return services.objectStore.putObject(String(input.path), body);
    case 'Invoke':
      services.invoke(z.looseObject({}).parse(JSON.parse(body.toString())));
      return { status: 202, body: '', type: 'application/json' };
    default:
      throw new Error(`A function called ${operation}, which the simulation does not support.`);
  }
}
