import { hash } from 'node:crypto';
import { ACCOUNT, REGION } from '../../local/assembly/account.ts';
import type { Draw } from '../runtime/random.ts';
import { drawTags, rephrased, type Tags } from './random-tags.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** How a secret is from one instant on. */
export interface SecretState {
  readonly from: number;
  readonly exists: boolean;
  /** The schedule tags, if it has any. */
  readonly tags: Tags | undefined;
  /** When it goes for good, if it is marked for deletion. */
  readonly deletion: number | undefined;
  /** Whether it has replicas in other Regions. */
  readonly replicated: boolean;
}

/** Something that somebody does to a secret. */
export interface LifeEvent {
  /** Number of the secret and of the event: `17.3`. */
  readonly id: string;
  readonly time: number;
  /** As CloudTrail tells of it; `undefined` for what Secrets Manager does by itself. */
  readonly eventName: string | undefined;
  readonly what: string;
}

export interface Secret {
  readonly index: number;
  readonly name: string;
  readonly arn: string;
  /** It is a replica of a secret in this Region. */
  readonly primaryRegion: string | undefined;
  readonly events: readonly LifeEvent[];
  /** From before all time on, in order. */
  readonly states: readonly SecretState[];
}

const NOWHERE: SecretState = {
  from: -Infinity,
  exists: false,
  tags: undefined,
  deletion: undefined,
  replicated: false,
};

type Change = readonly [eventName: string | undefined, what: string, change: Partial<SecretState>];

export interface LifeOptions {
  readonly span: Span;
  /** Whether most schedules are hourly or more often, for many runs in little time. */
  readonly busy: boolean;
  /** Ids of the events that happen; all if left out. */
  readonly keep?: ReadonlySet<string>;
}

/** The whole life of a secret, made up from the seed. */
export function secretLife(index: number, draw: Draw, { span, busy, keep }: LifeOptions): Secret {
  const name = draw.one(`name|${index}`, ['db', 'prod/orders', 'team_7/a.b', 'rds+x@y=z']) + `-${index}`;
  const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-${hash('sha256', name).slice(0, 6)}`;
  const replica = draw.chance(`replica|${index}`, 0.03);
  const events: LifeEvent[] = [];
  const states: SecretState[] = [NOWHERE];
  // A life goes on in the same way, whichever of its events are left out.
  let lived = NOWHERE;
  let former: Tags | undefined;
  let kept = NOWHERE;
  let time = span.from + born(index, draw, busy);
  for (let n = 0; time < span.to; n += 1) {
    const id = `${index}.${n}`;
    const [[eventName, what, change], pause] = nextChange(id, lived, former, time, draw, busy);
    if (lived.tags?.valid === true) {
      former = lived.tags;
    }
    lived = { ...lived, ...change, from: time };
    if (keep === undefined || keep.has(id)) {
      kept = { ...kept, ...change, from: time };
      events.push({ id, time, eventName, what });
      states.push(kept);
    }
    // A hand that tags often comes twice: schedule and timezone one after the other, or a slip that is mended at once.
    time += draw.chance(`quick|${id}`, 0.15) ? draw.integer(`quick pause|${id}`, 1, 120) * 1000 : pause;
  }
  return { index, name, arn, primaryRegion: replica ? 'eu-west-1' : undefined, events, states };
}

/** The time that is simulated, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Most secrets are there from the first day on, others come in the course of a year. */
function born(index: number, draw: Draw, busy: boolean): number {
  return Math.floor(draw.number(`born|${index}`) * (busy || draw.chance(`early|${index}`, 0.7) ? DAY : 365 * DAY));
}

function nextChange(
  id: string,
  state: SecretState,
  former: Tags | undefined,
  time: number,
  draw: Draw,
  busy: boolean,
): readonly [Change, number] {
  const pause = Math.floor(-Math.log(1 - draw.number(`pause|${id}`)) * 70 * DAY) + HOUR;
  // Somebody who gets it wrong sees the alarm and mends it.
  const soon = draw.integer(`soon|${id}`, 1, 30) * HOUR;
  const tags = drawTags(id, draw, busy);
  const tagged = `${tags.schedule} ${tags.timezone ?? 'without a timezone'}${tags.valid ? '' : ', which is wrong'}`;
  const untilMended = tags.valid ? pause : soon;
  const back = former ?? tags;
  if (!state.exists && draw.chance(`bare|${id}`, 0.2)) {
    return [['CreateSecret', 'is created without tags', { exists: true, deletion: undefined, tags: undefined }], soon];
  }
  if (!state.exists) {
    return [['CreateSecret', `is created with ${tagged}`, { exists: true, deletion: undefined, tags }], untilMended];
  }
  if (state.deletion !== undefined) {
    return draw.chance(`restored|${id}`, 0.7)
      ? [['RestoreSecret', 'is restored', { deletion: undefined }], pause]
      : [[undefined, 'is gone for good', { exists: false, tags: undefined }], pause];
  }
  if (state.tags?.valid !== true) {
    return [['TagResource', `is tagged ${tagged}`, { tags }], untilMended];
  }
  const { tags: old } = state;
  const deletion = time + 30 * DAY;
  return draw.weighted<readonly [Change, number]>(`change|${id}`, [
    [5, [['TagResource', `is tagged ${tagged}`, { tags }], untilMended]],
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
          `is tagged ${back.schedule} ${back.timezone ?? 'without a timezone'} as before`,
          { tags: back },
        ],
        pause,
      ],
    ],
    [2, [['UntagResource', 'is untagged', { tags: undefined }], draw.chance(`back|${id}`, 0.5) ? soon : pause]],
    [2, [['DeleteSecret', 'is marked for deletion', { deletion }], draw.chance(`back|${id}`, 0.5) ? soon : 30 * DAY]],
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
  return NOWHERE;
}

/** The tags that dumps are to be made under: none if the secret is gone, marked for deletion, or a replica. */
export function tagsInForce(secret: Secret, { exists, deletion, tags }: SecretState): Tags | undefined {
  return exists && deletion === undefined && secret.primaryRegion === undefined ? tags : undefined;
}
