import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { awsFailure, openSecretsManager } from '../aws.ts';
import { Failure } from '../failure.ts';

export interface SecretAddress {
  readonly secretArn: string;
  /** Where the secret is. */
  readonly region: string;
}

export interface SecretValue {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads the secret's name and value, the only place that does.
 *
 * @throws {Failure} `refused` if the secret is gone or not for us, `tryAgain` if the service is out of reach,
 * `badSecret` for a binary one
 */
export async function fetchSecret({ secretArn, region }: SecretAddress, signal: AbortSignal): Promise<SecretValue> {
  const client = openSecretsManager(region);
  try {
    const { Name: name, SecretString: value } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }), {
      abortSignal: signal,
    });
    if (value === undefined) {
      throw new Failure('badSecret', `The secret ${secretArn} has a binary value. It must be text: a JSON object.`);
    }
    if (name === undefined) {
      throw new Error('Secrets Manager gave a value without a name.');
    }
    return { name, value };
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(`read the secret ${secretArn}`, error);
  } finally {
    client.destroy();
  }
}
