import { REMINDER } from '../limits.ts';
import type { Check } from './evidence.ts';
import type { Sighting, Sightings } from './sightings.ts';

/** Checks that tags that cannot be followed are reported daily, first a day after a check has seen them. */
export class BrokenTags {
  readonly #sightings: Sightings;
  #reported: { readonly tags: string; readonly started: number; readonly certain: boolean } | undefined;

  constructor(sightings: Sightings) {
    this.#sightings = sightings;
  }

  /** Why a report of a check is false, if it is. Must be called for each, in order. */
  onReported({ started, certain }: Check, tags: string): string | undefined {
    const before = this.#of(tags);
    const seen = this.#sightings.maySince(tags) ?? started;
    const since = before?.certain === true ? Math.max(seen, before.started) : seen;
    this.#reported = { tags, started, certain };
    return started - since < REMINDER ? 'its tags were reported or first seen within a day' : undefined;
  }

  /** Whether a check that has remembered what it saw must have reported tags, and has not. */
  isUnreported({ started }: Check, sighting: Sighting): boolean {
    const seen = this.#sightings.mustSince(sighting) ?? started;
    return started - Math.max(seen, this.#of(sighting.tags)?.started ?? seen) >= REMINDER;
  }

  #of(tags: string) {
    return this.#reported?.tags === tags ? this.#reported : undefined;
  }
}
