import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ACCOUNT, REGION } from '../../assembly/account.ts';
import type { Resource, Template } from '../../assembly/template.ts';

const propertiesSchema = z.object({
  RedrivePolicy: z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.number() }).optional(),
});

/** A message as Lambda hands it to a function: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export interface SqsRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: {
    readonly ApproximateReceiveCount: string;
    readonly SentTimestamp: string;
    readonly SenderId: string;
    readonly ApproximateFirstReceiveTimestamp: string;
  };
  readonly messageAttributes: object;
  readonly md5OfBody: string;
  readonly eventSource: 'aws:sqs';
  readonly eventSourceARN: string;
  readonly awsRegion: string;
}

/** A message that was received too often. */
export interface RedrivenMessage {
  readonly destination: string;
  readonly body: string;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly sent: number;
  receiveCount: number;
  /** Called when it leaves the queue. */
  readonly left: (redriven: RedrivenMessage | undefined) => void;
}

/** A standard queue of the template. Its messages are in memory. */
export class Queue {
  readonly arn: string;
  readonly title: string;
  /** Called when a message has arrived, or has become visible again. */
  onVisible: () => void = () => undefined;
  readonly #redrive: z.infer<typeof propertiesSchema>['RedrivePolicy'];
  readonly #visible: Message[] = [];
  readonly #inFlight = new Map<string, Message>();

  constructor(template: Template, resource: Resource) {
    this.arn = template.arnOf(resource);
    this.title = resource.title;
    this.#redrive = template.properties(resource, propertiesSchema).RedrivePolicy;
  }

  /** Puts a message into the queue. @returns once it has left the queue: the message if it was received too often */
  send(body: string): Promise<RedrivenMessage | undefined> {
    return new Promise((left) => {
      this.#visible.push({ id: randomUUID(), body, sent: Date.now(), receiveCount: 0, left });
      this.onVisible();
    });
  }

  /** Hands out visible messages, which are invisible from then on. */
  receive(maxMessages: number): readonly SqsRecord[] {
    return this.#visible.splice(0, maxMessages).map((message) => {
      message.receiveCount += 1;
      this.#inFlight.set(message.id, message);
      return this.#recordOf(message);
    });
  }

  /** Deletes a message that was received. */
  delete(messageId: string): void {
    this.#inFlight.get(messageId)?.left(undefined);
    this.#inFlight.delete(messageId);
  }

  /** Ends the visibility timeout of a message: it is visible again, or was received too often. */
  timeOut(messageId: string): void {
    const message = this.#inFlight.get(messageId);
    if (message === undefined) {
      return;
    }
    this.#inFlight.delete(messageId);
    if (this.#redrive !== undefined && message.receiveCount >= this.#redrive.maxReceiveCount) {
      message.left({ destination: this.#redrive.deadLetterTargetArn, body: message.body });
      return;
    }
    this.#visible.push(message);
    this.onVisible();
  }

  #recordOf({ id, body, sent, receiveCount }: Message): SqsRecord {
    return {
      messageId: id,
      receiptHandle: id,
      body,
      attributes: {
        ApproximateReceiveCount: String(receiveCount),
        SentTimestamp: String(sent),
        SenderId: ACCOUNT,
        ApproximateFirstReceiveTimestamp: String(Date.now()),
      },
      messageAttributes: {},
      md5OfBody: createHash('md5').update(body).digest('hex'),
      eventSource: 'aws:sqs',
      eventSourceARN: this.arn,
      awsRegion: REGION,
    };
  }
}
