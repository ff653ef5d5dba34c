import { open } from 'node:fs/promises';
import type { Client } from 'pg';
import { z } from 'zod';
import { type ArchiveEntry, ArchiveHead, damaged } from '../../archive/archive-head.ts';
import { ByteCursor } from '../../archive/byte-cursor.ts';
import { MAX_NAME_BYTES } from '../../postgres/connection/connection-settings.ts';
import { queryRows } from '../../postgres/connection/query.ts';
import { type CopyStatement, parseCopyStatement } from './copy-statement.ts';

/** An object in the archive. Names are not quoted. */
export interface ArchiveObject {
  /** Of its entry in the table of contents. */
  readonly id: number;
  /** pg_dump's name of what it is: `TABLE`, `TABLE DATA`, `INDEX`. */
  readonly kind: string;
  readonly schema: string;
  readonly name: string;
  /**
   * The statement that creates it, if it is an extension, a policy, a publication or a foreign server, or copies its
   * rows; otherwise empty.
   */
  readonly definition: string;
  /** Where its rows are copied, if it has rows. */
  readonly copy?: CopyStatement;
}

/**
 * The steps of a restore. Comments, privileges and security labels come after the contents, over a single connection,
 * so that a refusal in this step is known to cost no data, whatever the server's words for it; and so do the planner's
 * statistics. Event triggers come last, since they would act on the statements before.
 */
export type Step = 'contents' | 'remarks' | 'statistics' | 'event triggers';

/**
 * An entry of an archive, of which there may be a million. Its names are bytes in the encoding of the dump, as
 * characters of Latin-1: a buffer for each takes ten times the memory.
 */
interface KeptEntry extends Pick<ArchiveObject, 'id' | 'kind'> {
  readonly schemaBytes: string;
  readonly nameBytes: string;
  readonly definitionBytes: string;
  /** IDs of the entries that it depends on. */
  readonly dependencies: readonly number[];
}

/** The table of contents of an archive. */
export interface TableOfContents {
  /** IDs of the entries of each step, in their order. */
  readonly steps: Readonly<Record<Step, readonly number[]>>;
  /** Those that are neither remarks nor statistics, without large objects, of which there may be millions. */
  readonly entries: readonly KeptEntry[];
  readonly hasLargeObjects: boolean;
  /** A file with the beginning of the archive up to its data, from which all but the first step can be restored. */
  readonly head: string;
  /** PostgreSQL's name of the dump's encoding, which is that of the database that was dumped. */
  readonly encoding: string;
}

const REMARKS: ReadonlySet<string> = new Set(['ACL', 'COMMENT', 'DEFAULT ACL', 'SECURITY LABEL']);

/** Of a remark about an event trigger. */
const OF_EVENT_TRIGGER = 'EVENT TRIGGER ';

const LARGE_OBJECTS: ReadonlySet<string> = new Set(['BLOB', 'BLOB METADATA', 'BLOBS']);

/** Any bytes, which the driver reads as UTF-8. */
const NO_ENCODING = 'SQL_ASCII';

function stepOf({ kind, name }: ArchiveEntry): Step {
  const isRemark = REMARKS.has(kind);
  if (kind === 'EVENT TRIGGER' || (isRemark && name.toString().startsWith(OF_EVENT_TRIGGER))) {
    return 'event triggers';
  }
  if (isRemark) {
    return 'remarks';
  }
  return kind === 'STATISTICS DATA' ? 'statistics' : 'contents';
}

function* contentsIn(cursor: ByteCursor): Generator<void, Omit<TableOfContents, 'head'>> {
  const head = new ArchiveHead(cursor);
  const steps: Record<Step, number[]> = { contents: [], remarks: [], statistics: [], 'event triggers': [] };
  const entries: KeptEntry[] = [];
  const shared = new Map<string, string>();
  let hasLargeObjects = false;
  let setting = '';
  for (let left = yield* head.header(); left > 0; left -= 1) {
    const entry = yield* head.entry();
    const step = stepOf(entry);
    steps[step].push(entry.id);
    if (entry.kind === 'ENCODING') {
      setting = entry.definition.toString();
    } else if (LARGE_OBJECTS.has(entry.kind)) {
      hasLargeObjects = true;
    } else if (step !== 'remarks' && step !== 'statistics') {
      entries.push({
        id: entry.id,
        kind: sharedText(entry.kind, shared),
        schemaBytes: sharedText(entry.schema.toString('latin1'), shared),
        nameBytes: entry.name.toString('latin1'),
        dependencies: entry.dependencies,
        definitionBytes: (entry.hasData ? entry.copyStatement : entry.definition).toString('latin1'),
      });
    }
  }
  checkIds(steps, cursor.position);
  const [, encoding] = /^SET client_encoding = '(\w+)';/.exec(setting) ?? [];
  if (encoding === undefined) {
    throw damaged('its table of contents does not say its encoding', cursor.position);
  }
  return { steps, entries, hasLargeObjects, encoding };
}

/** The same text once for all entries that have it. */
function sharedText(text: string, shared: Map<string, string>): string {
  const known = shared.get(text);
  if (known === undefined) {
    shared.set(text, text);
  }
  return known ?? text;
}

/** For an ID that two entries have, pg_restore restores something else, and an ID that is not positive it refuses. */
function checkIds(steps: TableOfContents['steps'], at: number): void {
  const ids = Float64Array.from(Object.values(steps).flat()).sort();
  const wrong = ids.find((id, index) => id <= 0 || id === ids[index - 1]);
  if (wrong !== undefined) {
    throw damaged(`the ID ${wrong} in its table of contents is not positive, or two entries have it`, at);
  }
}

/**
 * Reads the table of contents of an archive, and no further.
 *
 * @param head the file to create for {@link TableOfContents.head}
 * @throws {Failure} `verificationFailed` if this is not the beginning of an archive
 */
export async function readTableOfContents(archive: AsyncIterable<Buffer>, head: string): Promise<TableOfContents> {
  const file = await open(head, 'wx');
  try {
    const cursor = new ByteCursor();
    const walk = contentsIn(cursor);
    walk.next();
    for await (const chunk of archive) {
      const before = cursor.position;
      cursor.put(chunk);
      const { done, value } = walk.next();
      // Unlike `write`, this fails if a full disk takes only some of the bytes.
      await file.writeFile(chunk.subarray(0, cursor.position - before));
      if (done === true) {
        return { ...value, head };
      }
    }
    throw damaged('its table of contents is truncated', cursor.position);
  } finally {
    await file.close();
  }
}

/**
 * The objects in an archive, with their names as the driver reads them from the target. Connection and server errors
 * pass through.
 *
 * @param target encoding of the database
 */
export async function objectsOf(
  { entries, encoding }: TableOfContents,
  target: string,
  client: Client,
): Promise<readonly ArchiveObject[]> {
  const texts = entries.flatMap((entry) => [entry.schemaBytes, entry.nameBytes, entry.definitionBytes]);
  const isUtf8 = encoding === 'UTF8' || encoding === NO_ENCODING || target === NO_ENCODING;
  const decoded = await decodedBy(client, texts, isUtf8 ? 'UTF8' : encoding);
  const stored = !isUtf8 && target === 'UTF8' ? cutToFit : (name: string) => name;
  return entries.map(({ id, kind }, index) => {
    const definition = decoded[3 * index + 2] ?? '';
    const copy = kind === 'TABLE DATA' ? parseCopyStatement(definition) : undefined;
    return {
      id,
      kind,
      schema: stored(decoded[3 * index] ?? ''),
      name: stored(decoded[3 * index + 1] ?? ''),
      definition,
      ...(copy && { copy: { ...copy, schema: stored(copy.schema), name: stored(copy.name) } }),
    };
  });
}

/** A name may take more bytes in UTF-8. The server then keeps as many characters as fit. */
function cutToFit(name: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(name).subarray(0, MAX_NAME_BYTES), {
    stream: true,
  });
}

/**
 * Texts of a dump in this encoding, if need be decoded by the server. Connection and server errors pass through.
 *
 * @param texts bytes as characters of Latin-1
 */
export async function decodedBy(
  client: Client,
  texts: readonly string[],
  encoding: string,
): Promise<readonly string[]> {
  if (encoding === 'UTF8' || encoding === NO_ENCODING) {
    return texts.map(decodedUtf8);
  }
  const bytes = texts.map((text) => Buffer.from(text, 'latin1'));
  const text =
    'SELECT convert_from(bytes, $2) AS text FROM unnest($1::bytea[]) WITH ORDINALITY AS n (bytes, place) ORDER BY place';
  const rows = await queryRows(client, { text, values: [bytes, encoding] }, z.object({ text: z.string() }));
  return rows.map((row) => row.text);
}

/** @param bytes as characters of Latin-1; a text in ASCII is returned as it is, and so takes no memory twice */
function decodedUtf8(bytes: string): string {
  return /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString() : bytes;
}
