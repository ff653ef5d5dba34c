import { nameOf } from '../postgres/names/quoting.ts';
import type { ArchiveObject, TableOfContents } from '../restore/stored-dump/table-of-contents.ts';
import type { TargetExtensions } from '../restore/target/extensions.ts';
import type { LackingLocale } from './server/cluster.ts';

/** What the dump needs and the server lacks. */
export interface Lacking {
  readonly what: readonly { readonly what: string; readonly reason: string }[];
  /** Objects of the dump that cannot be created without it. */
  readonly dependents: readonly (Pick<ArchiveObject, 'kind' | 'schema' | 'name'> & {
    /** What it depends on: `extension postgis`. */
    readonly of: string;
  })[];
}

/** Compares a dump with what its server offers, before it is restored. */
export function lackingOn(
  { entries }: Pick<TableOfContents, 'entries'>,
  objects: readonly Pick<ArchiveObject, 'id' | 'kind' | 'schema' | 'name'>[],
  { available, installed }: TargetExtensions,
  locale: LackingLocale | undefined,
): Lacking {
  const offered = 'value' in available ? available.value : new Map<string, boolean>();
  const absent = objects.filter(({ kind, name }) => kind === 'EXTENSION' && !offered.has(name) && !installed.has(name));
  const causes = new Map(absent.map((extension) => [extension.id, `extension ${nameOf(extension)}`]));
  spread(causes, entries);
  const reason = 'unseen' in available ? available.unseen : 'the server of the drill does not have it';
  return {
    what: [
      ...(locale === undefined ? [] : [{ what: `the locale ${locale.locale}`, reason: locale.reason }]),
      ...absent.map((extension) => ({ what: `extension ${nameOf(extension)}`, reason })),
    ],
    dependents: objects.flatMap(({ id, kind, schema, name }) => {
      const of = causes.get(id);
      return of === undefined || kind === 'EXTENSION' ? [] : [{ kind, schema, name, of }];
    }),
  };
}

/** Gives what depends on entries with a cause the same cause. An entry may come before what it depends on. */
function spread(causes: Map<number, string>, entries: TableOfContents['entries']): void {
  for (let before = -1; before < causes.size;) {
    before = causes.size;
    for (const { id, dependencies } of entries) {
      const cause = causes.has(id)
        ? undefined
        : dependencies.map((each) => causes.get(each)).find((each) => each !== undefined);
      if (cause !== undefined) {
        causes.set(id, cause);
      }
    }
  }
}
