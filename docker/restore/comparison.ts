import { nameOf } from '../postgres/names/quoting.ts';
import type { ArchiveObject } from './stored-dump/table-of-contents.ts';
import type { Relation } from './target/objects.ts';

/** The kinds of objects that are compared, in pg_dump's words, with PostgreSQL's codes for them. */
const KINDS: ReadonlyMap<string, { readonly plural: string; readonly codes: string }> = new Map([
  ['TABLE', { plural: 'tables', codes: 'rp' }],
  ['FOREIGN TABLE', { plural: 'foreign tables', codes: 'f' }],
  ['VIEW', { plural: 'views', codes: 'v' }],
  ['MATERIALIZED VIEW', { plural: 'materialized views', codes: 'm' }],
  ['SEQUENCE', { plural: 'sequences', codes: 'S' }],
  ['INDEX', { plural: 'indexes', codes: 'iI' }],
]);

/** How a database compares with a dump. Names are identifiers with their schemas. */
export interface Comparison {
  /** How many are there of how many: `3 of 4 tables`. Tables always come first. */
  readonly counts: readonly string[];
  /** Objects of the dump that the database does not have. */
  readonly missing: readonly ArchiveObject[];
  /** Materialized views that are populated by the dump, and not in the database. */
  readonly unpopulated: readonly string[];
  /** Tables of the dump with data, if only of zero rows, which have no row in the database. */
  readonly empty: readonly ArchiveObject[];
}

type Named = Pick<ArchiveObject, 'schema' | 'name'>;

/** A key for maps and sets: unlike a qualified name, it needs no quoting. */
export function keyOf({ schema, name }: Named): string {
  return `${schema}\0${name}`;
}

/** Compares the tables and what belongs to them. */
export function compare(objects: readonly ArchiveObject[], relations: readonly Relation[]): Comparison {
  const found = new Map(relations.map((relation) => [keyOf(relation), relation]));
  const counts: string[] = [];
  const missing: ArchiveObject[] = [];
  for (const [kind, { plural, codes }] of KINDS) {
    const expected = objects.filter((object) => object.kind === kind);
    const absent = expected.filter((object) => !codes.includes(found.get(keyOf(object))?.kind ?? ' '));
    missing.push(...absent);
    if (expected.length > 0 || kind === 'TABLE') {
      counts.push(`${expected.length - absent.length} of ${expected.length} ${plural}`);
    }
  }
  const unpopulated = objects
    .filter((object) => object.kind === 'MATERIALIZED VIEW DATA' && found.get(keyOf(object))?.isPopulated === false)
    .map(nameOf);
  const empty = objects.filter((object) => {
    const relation = found.get(keyOf(object));
    return object.kind === 'TABLE DATA' && relation?.kind === 'r' && relation.isEmpty;
  });
  return { counts, missing, unpopulated, empty };
}
