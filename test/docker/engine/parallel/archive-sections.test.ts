import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PartSink } from '../../../../docker/engine/dump-run.ts';
import { ArchiveParts } from '../../../../docker/engine/parallel/archive-parts.ts';
import { ArchiveSections, type OpenSection } from '../../../../docker/engine/parallel/archive-sections.ts';
import { SMALLEST_PART } from '../../../../docker/s3/part/part-size.ts';
import type { Part } from '../../../../docker/s3/part/part.ts';

/** Sections of an archive whose parts are kept. */
function sectionsOf() {
  const sent: Part[] = [];
  const sink: PartSink = { isIdle: true, add: (part) => sent.push(part), room: () => Promise.resolve() };
  const parts = new ArchiveParts(sink, 0, 2 ** 40);
  /** All bytes that were added to the parts, in their order. */
  const archive = async () => {
    const { first } = parts.end([], []);
    const pieces: Buffer[] = [];
    for (const part of [first, ...sent]) {
      for await (const piece of part.open() as AsyncIterable<Buffer>) {
        pieces.push(Buffer.from(piece));
      }
    }
    return Buffer.concat(pieces);
  };
  return { sections: new ArchiveSections(parts), parts, archive };
}

function add(section: OpenSection, text: string): void {
  const bytes = Buffer.from(text);
  section.add({ pieces: [bytes], bytes: bytes.length, crc32: crc32(bytes) }, bytes);
}

const block = (id: number, length: number) => ({ id, kind: 'TABLE DATA', length, rows: undefined }) as const;

test('what is proven at the same time is in the archive one after another, complete sections first', async () => {
  const { sections, archive } = sectionsOf();
  const one = sections.begin();
  const [two, three, four] = [sections.begin(), sections.begin(), sections.begin()];
  add(two, 'two');
  add(one, 'on');
  add(three, 'thr');
  add(four, 'four');
  add(one, 'e');
  sections.end(four, [block(4, 4)]);
  sections.end(one, [block(1, 3)]);
  add(two, 'two');
  add(three, 'ee');
  sections.end(three, [block(3, 5)]);
  sections.end(two, [block(2, 6)]);
  expect(sections.close()).toEqual({
    blocks: [block(1, 3), block(4, 4), block(2, 6), block(3, 5)].map((each, index) => ({
      ...each,
      offset: [0, 3, 7, 13][index],
    })),
    sections: ['one', 'four', 'twotwo', 'three'].map((text) => ({
      bytes: text.length,
      sha256: createHash('sha256').update(text).digest('hex'),
    })),
  });
  expect((await archive()).toString()).toBe('onefourtwotwothree');
});

test('of growing sections, the largest so far comes next', () => {
  const { sections, parts } = sectionsOf();
  const [one, two, three] = [sections.begin(), sections.begin(), sections.begin()];
  add(two, 'tw');
  add(three, 'thr');
  sections.end(one, []);
  expect(parts.bytes).toBe(3);
  add(two, 'o');
  expect(parts.bytes).toBe(3);
});

test('a section is continued until another one follows it', () => {
  const { sections } = sectionsOf();
  const small = sections.begin();
  sections.end(small, []);
  expect(sections.begin(small)).toBe(small);
  const large = sections.begin();
  sections.end(small, []);
  const waiting = sections.begin(small);
  expect(waiting).not.toBe(small);
  sections.end(waiting, []);
  expect(sections.begin(waiting)).toBe(waiting);
  sections.end(waiting, []);
  sections.end(large, []);
  expect(sections.begin(waiting)).toBe(waiting);
});

test('in whatever order bytes are proven, each section is where its blocks are said to be', async () => {
  const step = fc.record({
    lane: fc.nat(3),
    bytes: fc.integer({ min: 1, max: SMALLEST_PART / 4 }),
    ends: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { sections, archive } = sectionsOf();
      const lanes = new Map<number, { section: OpenSection; bytes: Buffer[] }>();
      const contents: Buffer[] = [];
      const end = (lane: number) => {
        const { section, bytes } = lanes.get(lane) ?? {};
        if (section !== undefined && bytes !== undefined) {
          lanes.delete(lane);
          const all = Buffer.concat(bytes);
          sections.end(section, [block(contents.push(all) - 1, all.length)]);
        }
      };
      steps.forEach(({ lane, bytes, ends }, index) => {
        const open = lanes.get(lane) ?? { section: sections.begin(), bytes: [] };
        lanes.set(lane, open);
        const added = Buffer.alloc(bytes, index);
        open.bytes.push(added);
        open.section.add({ pieces: [added], bytes, crc32: crc32(added) }, added);
        if (ends) {
          end(lane);
        }
      });
      [...lanes.keys()].forEach(end);
      const closed = sections.close();
      const all = await archive();
      expect(closed.blocks).toHaveLength(contents.length);
      for (const { id, offset, length } of closed.blocks) {
        expect(all.subarray(offset, offset + length).equals(contents[id] ?? Buffer.alloc(0))).toBe(true);
      }
      let from = 0;
      for (const { bytes, sha256 } of closed.sections) {
        const found = createHash('sha256')
          .update(all.subarray(from, from + bytes))
          .digest('hex');
        expect(found).toBe(sha256);
        from += bytes;
      }
      expect(from).toBe(all.length);
    }),
    { numRuns: 30 },
  );
});
