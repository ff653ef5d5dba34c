import { suggestion } from '../names/near-names.ts';
import { nameOf } from '../names/quoting.ts';
import { hasContents, isOfSchemas, type Matches, type Relation, type Wanted } from './matches.ts';

/** Says of a pattern that matched nothing what was probably meant. @param names on one line, for the reader */
function unmatched(pattern: string, names: readonly string[]): readonly string[] {
  return [`matches nothing${suggestion(pattern, names)}`];
}

/** pg_dump would dump the system's schemas as well, and no server could restore that. */
function problemsWithSchemas({ field, pattern }: Wanted, index: number, { schemas }: Matches): readonly string[] {
  const own = schemas.filter(({ system }) => !system);
  const systems = schemas.filter(({ system, matches }) => system && matches[index]).map(({ schema }) => schema);
  return [
    ...(own.some(({ matches }) => matches[index])
      ? []
      : unmatched(
          pattern,
          own.map(({ schema }) => nameOf({ schema: '', name: schema })),
        )),
    ...(field === 'schemas' && systems.length > 0
      ? [`also matches ${systems.join(', ')} of the system: write one that only matches your own`]
      : []),
  ];
}

/** A pattern must leave out some contents, and no value of a sequence that numbers rows which are dumped. */
function problemsWithContents(
  matched: readonly Relation[],
  relations: readonly Relation[],
  withRows: ReadonlySet<number>,
): readonly string[] {
  if (!matched.some(hasContents)) {
    const partitioned = matched.filter(({ kind }) => kind === 'p').map(nameOf);
    return partitioned.length > 0
      ? [`matches only ${partitioned.join(', ')}, whose rows are in its partitions: name these`]
      : [`matches only ${matched.map(nameOf).join(', ')}, whose rows are in no dump`];
  }
  const owners = new Map(relations.filter(({ oid }) => withRows.has(oid)).map((relation) => [relation.oid, relation]));
  return matched.flatMap((sequence) => {
    const owner = sequence.owner === null ? undefined : owners.get(sequence.owner);
    return owner === undefined
      ? []
      : [
          `also matches the sequence ${nameOf(sequence)} of table ${nameOf(owner)}, whose rows are dumped: the restored ` +
            'sequence would begin anew, and repeat their numbers; write one that does not match it',
        ];
  });
}

function problemsWithRelations(
  { field, pattern }: Wanted,
  index: number,
  { relations }: Matches,
  withRows: ReadonlySet<number>,
): readonly string[] {
  const matched = relations.filter(({ matches }) => matches[index]);
  if (matched.length === 0) {
    return unmatched(pattern, relations.map(nameOf));
  }
  return field === 'excludetabledata' ? problemsWithContents(matched, relations, withRows) : [];
}

/**
 * What is wrong with patterns, for the reader.
 *
 * @param withRows OIDs of the tables whose rows are dumped
 */
export function problemsWith(
  wanted: readonly Wanted[],
  matches: Matches,
  withRows: ReadonlySet<number>,
): readonly string[] {
  return wanted.flatMap((each, index) =>
    (isOfSchemas(each)
      ? problemsWithSchemas(each, index, matches)
      : problemsWithRelations(each, index, matches, withRows)
    ).map((problem) => `the pattern ${each.pattern} of ${each.field} ${problem}`),
  );
}
