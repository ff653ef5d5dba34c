import type { Answer } from '../runtime/fake-https.ts';

/** An error response of an AWS service. */
export class ServiceError extends Error {
  readonly status: number;

  constructor(name: string, message: string, status = 400) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** The response of a service in the JSON protocols of AWS: a result, or a {@link ServiceError}. */
export function answerOf(serve: () => object): Answer {
  const type = 'application/x-amz-json-1.1';
  try {
    return { status: 200, body: JSON.stringify(serve()), type };
  } catch (error) {
    if (!(error instanceof ServiceError)) {
      throw error;
    }
    return { status: error.status, body: JSON.stringify({ __type: error.name, message: error.message }), type };
  }
}
