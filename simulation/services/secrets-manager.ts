import { z } from 'zod';
import { REGION } from '../../local/assembly/account.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Faults } from '../runtime/faults.ts';
import type { Random } from '../runtime/random.ts';
import type { Purpose, Tags as WorkloadTags } from '../workload/random-tags.ts';
import { type Secret, type SecretState, stateAt } from '../workload/secret-history.ts';
import { ServiceError } from './service-error.ts';

const MINUTE = 60_000;
const LONGEST_LAG = 5 * MINUTE;

const LISTING_FAULTS = { 'listing behind': 0.5 };

const describeSchema = z.object({ SecretId: z.string() });
const listSchema = z.object({
  MaxResults: z.number().default(100),
  NextToken: z.string().default('0'),
  Filters: z.tuple([z.object({ Key: z.literal('tag-key'), Values: z.tuple([z.string()]) })]),
});

const SCHEDULE_TAG = 'autodump:start-schedule';
const TIMEZONE_TAG = 'autodump:timezone';
const DRILL_TAG = 'autodump:drill-schedule';

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** A secret in a listing. */
export interface ListedSecret {
  readonly ARN: string;
  readonly Name: string;
  readonly Tags: readonly Tag[];
  readonly PrimaryRegion?: string;
}

/** The tags for a purpose of a listed secret; undefined if it is not on a schedule in this Region. */
export function listedTags(
  { Tags, PrimaryRegion = REGION }: ListedSecret,
  purpose: Purpose,
): Omit<WorkloadTags, 'valid'> | undefined {
  const value = (key: string): string | undefined => Tags.find(({ Key }) => Key === key)?.Value;
  const schedule = value(purpose === 'dump' ? SCHEDULE_TAG : DRILL_TAG);
  return schedule === undefined || PrimaryRegion !== REGION ? undefined : { schedule, timezone: value(TIMEZONE_TAG) };
}

/** Secrets Manager: describes secrets as they are, and lists them as they were up to five minutes ago. */
export class SecretsManager {
  readonly #secrets: readonly Secret[];
  readonly #byId: ReadonlyMap<string, Secret>;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Without faults the listing is up to date and its pages are full. */
  readonly #faults: Faults | undefined;

  constructor(secrets: readonly Secret[], clock: Clock, random: Random, faults?: Faults) {
    this.#faults = faults;
    this.#secrets = secrets;
    this.#byId = new Map(secrets.flatMap((secret) => [secret.name, secret.arn].map((id) => [id, secret])));
    this.#clock = clock;
    this.#random = random;
  }

  /** Finds a secret by name or ARN. */
  find(id: string): Secret | undefined {
    return this.#byId.get(id);
  }

  describeSecret(input: unknown): object {
    const { SecretId } = describeSchema.parse(input);
    const secret = this.#byId.get(SecretId);
    const state = secret === undefined ? undefined : stateAt(secret, this.#clock.now);
    if (secret === undefined || state?.exists !== true) {
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return describe(secret, state);
  }

  /** Pages may be short or empty without being the last. */
  listSecrets(input: unknown): { readonly SecretList: readonly ListedSecret[]; readonly NextToken?: string } {
    const { MaxResults, NextToken, Filters } = listSchema.parse(input);
    const prefix = Filters[0].Values[0];
    const start = Number(NextToken);
    const minute = Math.floor(this.#clock.now / MINUTE);
    const shortPages = this.#faults === undefined ? 0 : 2;
    const size = this.#random.weighted(`page|${minute}|${start}`, [
      [14, MaxResults],
      [shortPages, MaxResults / 2],
      [shortPages, 5],
      [shortPages, 1],
    ]);
    const page = this.#secrets.slice(start, start + size);
    const found = page.flatMap((secret) => {
      const state = stateAt(secret, this.#clock.now - this.#lag(secret, minute));
      const matches = tagsOf(state).some(({ Key }) => Key.startsWith(prefix));
      return state.exists && state.deletion === undefined && matches ? [describe(secret, state)] : [];
    });
    const next = start + page.length;
    return { SecretList: found, ...(next < this.#secrets.length ? { NextToken: String(next) } : {}) };
  }

  /** How stale the listing is about a secret: up to five minutes. */
  #lag({ index, states }: Secret, minute: number): number {
    const now = this.#clock.now;
    const isOld = !states.some(({ from }) => from <= now && from > now - LONGEST_LAG);
    if (isOld || this.#faults?.decide(`listing|${index}`, LISTING_FAULTS).kind === undefined) {
      return 0;
    }
    return this.#random.integer(`lag|${index}|${minute}`, 0, LONGEST_LAG);
  }
}

function tagsOf({ tags, drillTag }: SecretState): readonly Tag[] {
  const drill = drillTag === undefined ? [] : [{ Key: DRILL_TAG, Value: drillTag.schedule }];
  if (tags === undefined) {
    return [{ Key: `${SCHEDULE_TAG}-of-old`, Value: '0 8 * * *' }, ...drill];
  }
  const { schedule, timezone } = tags;
  return [
    { Key: 'owner', Value: 'somebody' },
    { Key: SCHEDULE_TAG, Value: schedule },
    ...(timezone === undefined ? [] : [{ Key: TIMEZONE_TAG, Value: timezone }]),
    ...drill,
  ];
}

function describe({ arn, name, primaryRegion }: Secret, state: SecretState): ListedSecret {
  const primary = primaryRegion ?? (state.replicated ? REGION : undefined);
  return {
    ARN: arn,
    Name: name,
    Tags: tagsOf(state),
    ...(primary === undefined ? {} : { PrimaryRegion: primary }),
    ...(state.deletion === undefined ? {} : { DeletedDate: state.deletion / 1000 }),
  };
}
