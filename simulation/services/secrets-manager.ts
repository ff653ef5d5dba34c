import { z } from 'zod';
import { REGION } from '../../local/assembly/account.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Faults } from '../runtime/faults.ts';
import type { Draw } from '../runtime/random.ts';
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

/** Secrets Manager: tells how secrets are now, and lists how they were up to five minutes ago. */
export class SecretsManager {
  readonly #secrets: readonly Secret[];
  readonly #byId: ReadonlyMap<string, Secret>;
  readonly #clock: Clock;
  readonly #draw: Draw;
  /** Without any, the listing is up to date and its pages are full. */
  readonly #faults: Faults | undefined;

  constructor(secrets: readonly Secret[], clock: Clock, draw: Draw, faults?: Faults) {
    this.#faults = faults;
    this.#secrets = secrets;
    this.#byId = new Map(secrets.flatMap((secret) => [secret.name, secret.arn].map((id) => [id, secret])));
    this.#clock = clock;
    this.#draw = draw;
  }

  /** By name or ARN. */
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

  /** Pages may be short or empty and still not be the last. */
  listSecrets(input: unknown): { readonly SecretList: readonly object[]; readonly NextToken?: string } {
    const { MaxResults, NextToken, Filters } = listSchema.parse(input);
    const prefix = Filters[0].Values[0];
    const start = Number(NextToken);
    const minute = Math.floor(this.#clock.now / MINUTE);
    const odd = this.#faults === undefined ? 0 : 2;
    const size = this.#draw.weighted(`page|${minute}|${start}`, [
      [14, MaxResults],
      [odd, MaxResults / 2],
      [odd, 5],
      [odd, 1],
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

  /** The listing may be late by up to five minutes. */
  #lag({ index, states }: Secret, minute: number): number {
    const now = this.#clock.now;
    const isOld = !states.some(({ from }) => from <= now && from > now - LONGEST_LAG);
    if (isOld || this.#faults?.at(`listing|${index}`, LISTING_FAULTS).kind === undefined) {
      return 0;
    }
    return this.#draw.integer(`lag|${index}|${minute}`, 0, LONGEST_LAG);
  }
}

function tagsOf({ tags }: SecretState): readonly { readonly Key: string; readonly Value: string }[] {
  if (tags === undefined) {
    return [{ Key: 'autodump:start-schedule-of-old', Value: '0 8 * * *' }];
  }
  const { schedule, timezone } = tags;
  return [
    { Key: 'owner', Value: 'somebody' },
    { Key: 'autodump:start-schedule', Value: schedule },
    ...(timezone === undefined ? [] : [{ Key: 'autodump:timezone', Value: timezone }]),
  ];
}

function describe({ arn, name, primaryRegion }: Secret, state: SecretState): object {
  const primary = primaryRegion ?? (state.replicated ? REGION : undefined);
  return {
    ARN: arn,
    Name: name,
    Tags: tagsOf(state),
    ...(primary === undefined ? {} : { PrimaryRegion: primary }),
    ...(state.deletion === undefined ? {} : { DeletedDate: state.deletion / 1000 }),
  };
}
