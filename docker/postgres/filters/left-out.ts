/** What filters left out of a dump, as its manifest says. Names are qualified, for the reader. */
export interface LeftOut {
  /** Tables and views. */
  readonly tables: readonly string[];
  /** Tables without their rows, sequences without their values, and materialized views that are not populated. */
  readonly rows: readonly string[];
  /**
   * Whether large objects, extensions and all else that is in no schema are left out, as they are if schemas are named.
   */
  readonly objectsWithoutSchema: boolean;
}

/** In words, each table by its name; empty if nothing is left out. */
export function describeLeftOut({ tables, rows, objectsWithoutSchema }: LeftOut): string {
  return [
    ...(tables.length === 0 ? [] : [`the tables and views ${tables.join(', ')}`]),
    ...(rows.length === 0 ? [] : [`the contents of ${rows.join(', ')}`]),
    ...(objectsWithoutSchema ? ['large objects, extensions and whatever else is in no schema'] : []),
  ].join('; ');
}
