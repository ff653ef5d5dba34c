import { hash } from 'node:crypto';
import { ACCOUNT, REGION } from '../../local/assembly/account.ts';
import type { Random } from '../runtime/random.ts';
import {
  type DrillTag,
  drillTags,
  type Purpose,
  randomDrillTag,
  randomTags,
  rephrased,
  type Tags,
} from './random-tags.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** The state of a secret from an instant on. */
export interface SecretState {
  readonly from: number;
  readonly exists: boolean;
  /** The schedule tags, if any. */
  readonly tags: Tags | undefined;
  /** The tag with the schedule of its drills, if any. */
  readonly drillTag: DrillTag | undefined;
  /** When it is deleted for good, if it is scheduled for deletion. */
  readonly deletion: number | undefined;
  /** Whether it has replicas in other Regions. */
  readonly replicated: boolean;
}

/** A change to a secret. */
export interface SecretEvent {
  /** The numbers of the secret and of the event: `17.3`. */
  readonly id: string;
  readonly time: number;
  /** The name of its CloudTrail event; `undefined` for a change made by Secrets Manager itself. */
  readonly eventName: string | undefined;
  readonly description: string;
}

/** A secret with all its past and future. */
export interface Secret {
  readonly index: number;
  readonly name: string;
  readonly arn: string;
  /** The Region of the primary secret if this is a replica. */
  readonly primaryRegion: string | undefined;
  readonly events: readonly SecretEvent[];
  /** In order; the first one reaches back for ever. */
  readonly states: readonly SecretState[];
}

const NONEXISTENT: SecretState = {
  from: -Infinity,
  exists: false,
  tags: undefined,
  drillTag: undefined,
  deletion: undefined,
  replicated: false,
};

type Change = readonly [eventName: string | undefined, description: string, change: Partial<SecretState>];

export interface HistoryOptions {
  readonly span: Span;
  /** Whether most schedules are hourly or more frequent, for many runs in little time. */
  readonly busy: boolean;
  /** Ids of the events to keep; all if omitted. */
  readonly keep?: ReadonlySet<string>;
}

/** Generates the history of a secret from the seed. */
export function secretHistory(index: number, random: Random, { span, busy, keep }: HistoryOptions): Secret {
  const name = random.one(`name|${index}`, ['db', 'prod/orders', 'team_7/a.b', 'rds+x@y=z']) + `-${index}`;
  const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-${hash('sha256', name).slice(0, 6)}`;
  const replica = random.chance(`replica|${index}`, 0.03);
  const changes: TimedChange[] = [];
  // The history is the same whichever of its events are left out.
  let full = NONEXISTENT;
  let former: Tags | undefined;
  let time = span.from + creationDelay(index, random, busy);
  for (let n = 0; time < span.to; n += 1) {
    const id = `${index}.${n}`;
    const [[eventName, description, change], pause] = nextChange(id, full, former, time, random, busy);
    if (full.tags?.valid === true) {
      former = full.tags;
    }
    full = { ...full, ...change, from: time };
    changes.push({ id, time, eventName, description, change: () => change });
    // People often tag twice in a row: the schedule and then the timezone, or a slip and its correction.
    time += random.chance(`quick|${id}`, 0.15) ? random.integer(`quick pause|${id}`, 1, 120) * 1000 : pause;
  }
  changes.push(...drillChanges(index, random, { span, busy }));
  return { index, name, arn, primaryRegion: replica ? 'eu-west-1' : undefined, ...happened(changes, keep) };
}

interface TimedChange extends SecretEvent {
  /** @returns undefined if it cannot happen */
  readonly change: (before: SecretState) => Partial<SecretState> | undefined;
}

/** What happens of the changes that are not left out. */
function happened(
  changes: readonly TimedChange[],
  keep: ReadonlySet<string> | undefined,
): Pick<Secret, 'events' | 'states'> {
  const events: SecretEvent[] = [];
  const states: SecretState[] = [];
  let state = NONEXISTENT;
  for (const { change, ...event } of changes.toSorted((one, other) => one.time - other.time)) {
    const changed = keep === undefined || keep.has(event.id) ? change(state) : undefined;
    if (changed !== undefined) {
      states.push(state);
      state = { ...state, ...changed, from: event.time };
      events.push(event);
    }
  }
  return { events, states: [...states, state] };
}

/** For some secrets, people put drills on a schedule, change it and remove it, whatever becomes of the dumps. */
function drillChanges(
  index: number,
  random: Random,
  { span, busy }: Pick<HistoryOptions, 'span' | 'busy'>,
): readonly TimedChange[] {
  if (!random.chance(`drilled|${index}`, 0.4)) {
    return [];
  }
  const changes: TimedChange[] = [];
  let time = span.from + creationDelay(index, random, busy) + random.integer(`drilled at|${index}`, 1, 2 * DAY);
  for (let n = 0; time < span.to; n += 1) {
    const id = `${index}.drill.${n}`;
    const isRemoved = random.chance(`no drill|${id}`, 0.15);
    changes.push({
      id,
      time,
      eventName: isRemoved ? 'UntagResource' : 'TagResource',
      description: isRemoved ? 'is drilled no more' : 'has its drills scheduled',
      change: ({ exists, deletion, tags }) =>
        exists && deletion === undefined
          ? { drillTag: isRemoved ? undefined : randomDrillTag(id, random, busy, tags) }
          : undefined,
    });
    time += Math.floor(-Math.log(1 - random.number(`drill pause|${id}`)) * 40 * DAY) + HOUR;
  }
  return changes;
}

/** The simulated time, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Most secrets are created on the first day, others in the course of a year. */
function creationDelay(index: number, random: Random, busy: boolean): number {
  return Math.floor(random.number(`born|${index}`) * (busy || random.chance(`early|${index}`, 0.7) ? DAY : 365 * DAY));
}

function nextChange(
  id: string,
  state: SecretState,
  former: Tags | undefined,
  time: number,
  random: Random,
  busy: boolean,
): readonly [Change, number] {
  const pause = Math.floor(-Math.log(1 - random.number(`pause|${id}`)) * 70 * DAY) + HOUR;
  // Whoever sets invalid tags sees the alarm and corrects them.
  const soon = random.integer(`soon|${id}`, 1, 30) * HOUR;
  const tags = randomTags(id, random, busy);
  const tagged = `${tags.schedule} ${tags.timezone ?? 'without a timezone'}${tags.valid ? '' : ', which is invalid'}`;
  const untilCorrected = tags.valid ? pause : soon;
  const previous = former ?? tags;
  if (!state.exists && random.chance(`bare|${id}`, 0.2)) {
    return [['CreateSecret', 'is created without tags', { exists: true, deletion: undefined, tags: undefined }], soon];
  }
  if (!state.exists) {
    return [['CreateSecret', `is created with ${tagged}`, { exists: true, deletion: undefined, tags }], untilCorrected];
  }
  if (state.deletion !== undefined) {
    return random.chance(`restored|${id}`, 0.7)
      ? [['RestoreSecret', 'is restored', { deletion: undefined }], pause]
      : [[undefined, 'is deleted for good', { exists: false, tags: undefined, drillTag: undefined }], pause];
  }
  if (state.tags?.valid !== true) {
    return [['TagResource', `is tagged ${tagged}`, { tags }], untilCorrected];
  }
  const { tags: old } = state;
  const deletion = time + 30 * DAY;
  return random.weighted<readonly [Change, number]>(`change|${id}`, [
    [5, [['TagResource', `is tagged ${tagged}`, { tags }], untilCorrected]],
    [
      2,
      [
        ['TagResource', `is tagged ${rephrased(old).schedule} instead of ${old.schedule}`, { tags: rephrased(old) }],
        pause,
      ],
    ],
    [
      1,
      [
        [
          'TagResource',
          `is tagged ${previous.schedule} ${previous.timezone ?? 'without a timezone'} as before`,
          { tags: previous },
        ],
        pause,
      ],
    ],
    [2, [['UntagResource', 'is untagged', { tags: undefined }], random.chance(`back|${id}`, 0.5) ? soon : pause]],
    [
      2,
      [['DeleteSecret', 'is scheduled for deletion', { deletion }], random.chance(`back|${id}`, 0.5) ? soon : 30 * DAY],
    ],
    [1, [['ReplicateSecretToRegions', 'is replicated', { replicated: true }], pause]],
  ]);
}

/** The state of a secret at a time. */
export function stateAt({ states }: Secret, time: number): SecretState {
  for (let i = states.length - 1; i > 0; i -= 1) {
    const state = states[i];
    if (state !== undefined && state.from <= time) {
      return state;
    }
  }
  return NONEXISTENT;
}

/** The tags for a purpose, whether or not AutoDump accepts them. */
export function tagsFor({ tags, drillTag }: SecretState, purpose: Purpose): Tags | undefined {
  return purpose === 'dump' ? tags : drillTag && drillTags(drillTag, tags);
}

/** The tags that AutoDump must follow: none if the secret is deleted, scheduled for deletion, or a replica. */
export function tagsInForce(secret: Secret, state: SecretState, purpose: Purpose): Tags | undefined {
  const isActive = state.exists && state.deletion === undefined && secret.primaryRegion === undefined;
  return isActive ? tagsFor(state, purpose) : undefined;
}
