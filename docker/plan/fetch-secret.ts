import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { awsFailure, foreignResponse, openSecretsManager } from '../aws.ts';
import { Failure } from '../failure.ts';

export interface SecretReference {
  readonly secretArn: string;
  /** Region of the secret. */
  readonly region: string;
}

export interface Secret {
  readonly name: string;
  readonly value: string;
  readonly tags: ReadonlyMap<string, string>;
}

/**
 * Reads a secret's name, value and tags. Nothing else in this program reads secrets.
 *
 * @throws {Failure} `refused` if the secret does not exist or access is denied, `tryAgain` if the service cannot be
 * reached, `badSecret` for a binary value
 */
export async function fetchSecret({ secretArn, region }: SecretReference, signal: AbortSignal): Promise<Secret> {
  const client = openSecretsManager(region);
  const request = { SecretId: secretArn };
  const options = { abortSignal: signal };
  try {
    const {
      Name: name,
      SecretString: value,
      SecretBinary: binary,
    } = await client.send(new GetSecretValueCommand(request), options);
    const { Tags: tags = [] } = await client.send(new DescribeSecretCommand(request), options);
    if (name === undefined || (value === undefined && binary === undefined)) {
      throw foreignResponse(`read the secret ${secretArn}`);
    }
    if (value === undefined) {
      throw new Failure('badSecret', `The secret ${secretArn} has a binary value. It must be a JSON object as text.`);
    }
    return { name, value, tags: new Map(tags.map(({ Key = '', Value = '' }) => [Key, Value])) };
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(`read the secret ${secretArn}`, error);
  } finally {
    client.destroy();
  }
}
