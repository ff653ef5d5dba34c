import { DEFAULT_VANISHED_PERCENT, VANISHED_TAG, VANISHED_WORD } from '../../../contract.ts';
import type { Tag } from '../tags.ts';

/** Percent of its rows that a table may lose, or `off` for any. */
export type Limit = number | 'off';

/** What may vanish from one dump of a secret to the next. */
export interface Limits {
  readonly others: Limit;
  /** By qualified name, without quotation marks. */
  readonly tables: ReadonlyMap<string, Limit>;
  /** Why the tag is not followed, in a whole sentence. */
  readonly problem?: string;
}

const DEFAULT: Limits = { others: DEFAULT_VANISHED_PERCENT, tables: new Map() };

/** Reads {@link VANISHED_TAG}. A tag with a mistake in it is not followed at all. */
export function limitsOf(tags: readonly Tag[]): Limits {
  const text = tags.find(({ Key }) => Key === VANISHED_TAG)?.Value;
  if (text === undefined) {
    return DEFAULT;
  }
  let others: Limit = DEFAULT_VANISHED_PERCENT;
  const tables = new Map<string, Limit>();
  for (const word of text.trim().split(/\s+/)) {
    const { table, share = '' } = VANISHED_WORD.exec(word)?.groups ?? {};
    if (share === '') {
      const problem = `The tag ${VANISHED_TAG} is not followed, because of "${word}": ${DEFAULT_VANISHED_PERCENT} percent hold.`;
      return { ...DEFAULT, problem };
    }
    const limit = share === 'off' ? 'off' : Number(share);
    if (table === undefined) {
      others = limit;
    } else {
      tables.set(table, limit);
    }
  }
  return { others, tables };
}
