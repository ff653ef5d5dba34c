import { randomBytes, randomUUID } from 'node:crypto';
import type {
  CreateSecretRequest,
  CreateSecretResponse,
  DeleteSecretRequest,
  DeleteSecretResponse,
  DescribeSecretRequest,
  DescribeSecretResponse,
  GetSecretValueRequest,
  GetSecretValueResponse,
  ListSecretsRequest,
  ListSecretsResponse,
  SecretListEntry,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-secrets-manager';
import { ACCOUNT, REGION } from '../../assembly/account.ts';
import { ServiceError } from '../protocol/json-endpoint.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_RECOVERY_DAYS = 30;
const LARGEST_PAGE = 100;

/** Characters. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html */
const MAX_TAG_KEY = 128;
const MAX_TAG_VALUE = 256;

/** A call that changed a secret, as CloudTrail records it. */
export interface SecretCall {
  readonly eventName: 'CreateSecret' | 'TagResource' | 'UntagResource' | 'DeleteSecret';
  readonly requestParameters: Readonly<Record<string, unknown>>;
  readonly responseElements: Readonly<Record<string, unknown>> | null;
}

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly value: string | undefined;
  readonly versionId: string;
  readonly created: Date;
  readonly tags: ReadonlyMap<string, string>;
  /** ARN of a customer managed key. */
  readonly kmsKeyId?: string | undefined;
  /** Time of the planned deletion. */
  readonly deleted?: Date;
}

/**
 * Secrets Manager, in memory: the operations that the app and its users call, with the errors of the service.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
 */
export class SecretsManager {
  readonly #secrets = new Map<string, Secret>();
  readonly #onCall: (call: SecretCall) => void;

  constructor(onCall: (call: SecretCall) => void) {
    this.#onCall = onCall;
  }

  createSecret({ Name, SecretString, Tags, ClientRequestToken, KmsKeyId }: CreateSecretRequest): CreateSecretResponse {
    const name = Name ?? '';
    if (!/^[0-9A-Za-z/_+=.@-]{1,512}$/.test(name)) {
      throw new ServiceError(
        'ValidationException',
        'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
      );
    }
    const existing = [...this.#secrets.values()].find((secret) => secret.name === name);
    if (existing?.deleted !== undefined) {
      throw new ServiceError(
        'InvalidRequestException',
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    if (existing !== undefined) {
      throw new ServiceError(
        'ResourceExistsException',
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const versionId = ClientRequestToken ?? randomUUID();
    const arn = this.#add({ name, value: SecretString, versionId, tags: tagMap(Tags), kmsKeyId: KmsKeyId });
    this.#onCall({
      eventName: 'CreateSecret',
      requestParameters: { name, clientRequestToken: versionId },
      responseElements: { arn },
    });
    return { ARN: arn, Name: name, VersionId: versionId };
  }

  /**
   * Creates a secret that another service manages, whose name and tags only that service may give.
   *
   * @returns its ARN
   */
  createForService(name: string, value: string, tags: readonly Tag[]): string {
    return this.#add({ name, value, versionId: randomUUID(), tags: tagMap(tags) });
  }

  #add(secret: Omit<Secret, 'arn' | 'created'>): string {
    const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${secret.name}-${randomBytes(3).toString('hex')}`;
    this.#secrets.set(arn, { ...secret, arn, created: new Date() });
    return arn;
  }

  tagResource({ SecretId, Tags }: TagResourceRequest): object {
    const secret = this.#active(SecretId);
    this.#secrets.set(secret.arn, { ...secret, tags: new Map([...secret.tags, ...tagMap(Tags)]) });
    this.#onCall({ eventName: 'TagResource', requestParameters: { secretId: SecretId }, responseElements: null });
    return {};
  }

  untagResource({ SecretId, TagKeys }: UntagResourceRequest): object {
    const secret = this.#active(SecretId);
    const tags = new Map([...secret.tags].filter(([key]) => !TagKeys?.includes(key)));
    this.#secrets.set(secret.arn, { ...secret, tags });
    this.#onCall({ eventName: 'UntagResource', requestParameters: { secretId: SecretId }, responseElements: null });
    return {};
  }

  deleteSecret({
    SecretId,
    ForceDeleteWithoutRecovery = false,
    RecoveryWindowInDays = DEFAULT_RECOVERY_DAYS,
  }: DeleteSecretRequest): DeleteSecretResponse {
    const secret = this.#active(SecretId);
    const deleted = new Date(Date.now() + (ForceDeleteWithoutRecovery ? 0 : RecoveryWindowInDays * DAY_MS));
    if (ForceDeleteWithoutRecovery) {
      this.#secrets.delete(secret.arn);
    } else {
      this.#secrets.set(secret.arn, { ...secret, deleted });
    }
    this.#onCall({
      eventName: 'DeleteSecret',
      requestParameters: { secretId: SecretId },
      responseElements: { arn: secret.arn },
    });
    return { ARN: secret.arn, Name: secret.name, DeletionDate: deleted };
  }

  describeSecret({ SecretId }: DescribeSecretRequest): DescribeSecretResponse {
    return listEntry(this.#existing(SecretId));
  }

  listSecrets({
    Filters = [],
    IncludePlannedDeletion = false,
    MaxResults = LARGEST_PAGE,
    NextToken,
  }: ListSecretsRequest): ListSecretsResponse {
    const other = Filters.find(({ Key }) => Key !== 'tag-key');
    if (other !== undefined) {
      throw new ServiceError('InvalidParameterException', `The filter ${other.Key ?? ''} is not served here.`);
    }
    // Values of a filter match as prefixes, and are case-sensitive.
    const found = [...this.#secrets.values()]
      .filter(({ deleted }) => IncludePlannedDeletion || deleted === undefined)
      .filter(({ tags }) =>
        Filters.every(({ Values = [] }) =>
          [...tags.keys()].some((key) => Values.some((prefix) => key.startsWith(prefix))),
        ),
      );
    const start = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, 'base64url').toString());
    const end = start + MaxResults;
    return {
      SecretList: found.slice(start, end).map(listEntry),
      ...(end < found.length ? { NextToken: Buffer.from(`${end}`).toString('base64url') } : {}),
    };
  }

  getSecretValue({ SecretId }: GetSecretValueRequest): GetSecretValueResponse {
    const { arn, name, value, versionId, created } = this.#active(SecretId);
    if (value === undefined) {
      throw new ServiceError(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      );
    }
    return {
      ARN: arn,
      Name: name,
      SecretString: value,
      VersionId: versionId,
      VersionStages: ['AWSCURRENT'],
      CreatedDate: created,
    };
  }

  /** @throws {ServiceError} if the secret does not exist, or its deletion is planned */
  #active(id: string | undefined): Secret {
    const secret = this.#existing(id);
    if (secret.deleted === undefined) {
      return secret;
    }
    throw new ServiceError(
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    );
  }

  /** Finds a secret by ARN or name. */
  find(id: string | undefined): Secret | undefined {
    return [...this.#secrets.values()].find(({ arn, name }) => arn === id || name === id);
  }

  /** @throws {ServiceError} if the secret does not exist */
  #existing(id: string | undefined): Secret {
    const secret = this.find(id);
    if (secret !== undefined) {
      return secret;
    }
    throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }
}

function tagMap(tags: readonly Tag[] | undefined): ReadonlyMap<string, string> {
  const long = tags?.find(({ Key = '', Value = '' }) => Key.length > MAX_TAG_KEY || Value.length > MAX_TAG_VALUE);
  if (long !== undefined) {
    throw new ServiceError(
      'ValidationException',
      `The tag ${(long.Key ?? '').slice(0, MAX_TAG_KEY)} is too long: a key has at most ${MAX_TAG_KEY} characters, and a value ${MAX_TAG_VALUE}.`,
    );
  }
  return new Map((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
}

function listEntry({ arn, name, created, tags, deleted }: Secret): SecretListEntry {
  return {
    ARN: arn,
    Name: name,
    CreatedDate: created,
    PrimaryRegion: REGION,
    Tags: [...tags].map(([Key, Value]) => ({ Key, Value })),
    ...(deleted === undefined ? {} : { DeletedDate: deleted }),
  };
}
