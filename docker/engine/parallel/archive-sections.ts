import { createHash } from 'node:crypto';
import type { Section } from '../../s3/checksum.ts';
import type { ArchiveParts } from './archive-parts.ts';
import type { ProvenChunk } from './chunk.ts';
import type { ProvenBlock } from './prove-blocks.ts';

/** A proven block. Its offset is from the end of the head. */
export interface PlacedBlock extends ProvenBlock {
  readonly offset: number;
}

/** Blocks that are proven one after another, and follow each other in the archive. */
export class OpenSection {
  readonly #hash = createHash('sha256');
  /** With their offsets in the section. */
  readonly #blocks: PlacedBlock[] = [];
  /** Chunks that another section goes before. */
  readonly #waiting: ProvenChunk[] = [];
  #parts: ArchiveParts | undefined;
  #bytes = 0;
  /** Whether more blocks are being proven. */
  isBusy = true;
  /** ID of the entry of the table that it has, if that is being written. */
  readonly growing: number | undefined;

  constructor(growing?: number) {
    this.growing = growing;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: ProvenChunk, bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    if (this.#parts === undefined) {
      this.#waiting.push(chunk);
    } else {
      this.#parts.add(chunk);
    }
  }

  /** Called when chunks that were added are proven. @param blocks that they make up */
  end(blocks: readonly ProvenBlock[]): void {
    let offset = this.#bytes - blocks.reduce((sum, { length }) => sum + length, 0);
    for (const block of blocks) {
      this.#blocks.push({ ...block, offset });
      offset += block.length;
    }
    this.isBusy = false;
  }

  /** Its chunks go into the parts from now on. */
  sendTo(parts: ArchiveParts): void {
    this.#parts = parts;
    this.#waiting.splice(0).forEach((chunk) => {
      parts.add(chunk);
    });
  }

  /** @param offset of the section */
  close(offset: number): { readonly blocks: readonly PlacedBlock[]; readonly section: Section } {
    return {
      blocks: this.#blocks.map((block) => ({ ...block, offset: offset + block.offset })),
      section: { bytes: this.#bytes, sha256: this.#hash.digest('hex') },
    };
  }
}

/**
 * The data of an archive in sections, which are proven at the same time. Their bytes go into the parts one section
 * after another: those that are complete come next, and otherwise the one of which most was proven so far.
 */
export class ArchiveSections {
  readonly #parts: ArchiveParts;
  readonly #sections: Section[] = [];
  readonly #blocks: PlacedBlock[] = [];
  #current: OpenSection | undefined;
  #waiting: OpenSection[] = [];

  constructor(parts: ArchiveParts) {
    this.#parts = parts;
  }

  /** The table that is being written and goes into the parts meanwhile, if any: the ID of its entry. */
  get growing(): number | undefined {
    return this.#current?.isBusy === true ? this.#current.growing : undefined;
  }

  /** Begins a section of a single table. @param id of its entry */
  beginGrowing(id: number): OpenSection {
    return this.#begin(new OpenSection(id));
  }

  /** Begins a section. @param before which is continued instead, unless another section follows it in the archive */
  begin(before?: OpenSection): OpenSection {
    if (before === undefined || (before !== this.#current && !this.#waiting.includes(before))) {
      return this.#begin(new OpenSection());
    }
    before.isBusy = true;
    return before;
  }

  end(section: OpenSection, blocks: readonly ProvenBlock[]): void {
    section.end(blocks);
    this.#advance();
  }

  /** Called when nothing more is being proven. @returns all sections and blocks, in the order of the archive */
  close(): { readonly sections: readonly Section[]; readonly blocks: readonly PlacedBlock[] } {
    this.#closeCurrent();
    return { sections: this.#sections, blocks: this.#blocks };
  }

  #begin(section: OpenSection): OpenSection {
    this.#waiting.push(section);
    this.#advance();
    return section;
  }

  #advance(): void {
    while (this.#waiting.length > 0 && this.#current?.isBusy !== true) {
      this.#closeCurrent();
      const [next] = this.#waiting.toSorted(
        (one, other) => Number(one.isBusy) - Number(other.isBusy) || other.bytes - one.bytes,
      );
      this.#waiting = this.#waiting.filter((section) => section !== next);
      this.#current = next;
      next?.sendTo(this.#parts);
    }
  }

  #closeCurrent(): void {
    if (this.#current !== undefined) {
      const { blocks, section } = this.#current.close(this.#parts.bytes - this.#current.bytes);
      this.#blocks.push(...blocks);
      this.#sections.push(section);
      this.#current = undefined;
    }
  }
}
