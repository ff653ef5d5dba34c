import { randomUUID } from 'node:crypto';
import type { PublishInput, PublishResponse } from '@aws-sdk/client-sns';
import type { Template } from '../../assembly/template.ts';
import { ServiceError } from '../protocol/json-endpoint.ts';
import type { Trace } from '../trace.ts';

/** SNS: the topics of the template, whose messages are traced instead of sent. */
export class Topics {
  readonly #arns: readonly string[];
  readonly #trace: Trace;

  constructor(template: Template, trace: Trace) {
    this.#arns = template.ofType('AWS::SNS::Topic').map((resource) => template.arnOf(resource));
    this.#trace = trace;
  }

  /** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
  publish({ TopicArn = '', Subject = '', Message = '' }: PublishInput): PublishResponse {
    if (!this.#arns.includes(TopicArn)) {
      throw new ServiceError('NotFound', 'Topic does not exist');
    }
    this.#trace({ kind: 'message published', subject: Subject, text: Message });
    return { MessageId: randomUUID() };
  }
}
