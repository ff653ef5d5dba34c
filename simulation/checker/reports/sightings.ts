/** The tags of a secret, and the rules of time zones by which they are read. */
export interface Sighting {
  readonly tags: string;
  readonly rules: string;
}

/** Since when checks for missing dumps have seen the current tags of a secret. */
export class Sightings {
  /** By tags: the first check that may have remembered them. */
  readonly #may = new Map<string, number>();
  #must: (Sighting & { readonly since: number }) | undefined;

  /**
   * A check that may have remembered what it saw has ended.
   *
   * @param seen absent if the secret is not on a schedule
   * @param started when the check began
   * @param certain whether it has remembered what it saw
   */
  see(seen: Sighting | undefined, started: number, certain: boolean): void {
    const since = seen && (this.#may.get(seen.tags) ?? started);
    if (certain) {
      this.#may.clear();
    }
    if (seen !== undefined && since !== undefined) {
      this.#may.set(seen.tags, since);
    }
    if (this.#must?.tags !== seen?.tags || this.#must?.rules !== seen?.rules) {
      this.#must = certain && seen !== undefined ? { ...seen, since: started } : undefined;
    }
  }

  /** The first check since which all may have seen these tags; new rules may have left their next time as it was. */
  maySince(tags: string): number | undefined {
    return this.#may.get(tags);
  }

  /** The first check since which all must have seen these tags, and read them by these rules. */
  mustSince({ tags, rules }: Sighting): number | undefined {
    return this.#must?.tags === tags && this.#must.rules === rules ? this.#must.since : undefined;
  }
}
