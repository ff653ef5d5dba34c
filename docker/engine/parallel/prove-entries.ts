import type { LargeObjects } from '../../census/large-object-script.ts';
import { sumOf } from '../../census/row-hash.ts';
import type { DumpOptions, DumpRun } from '../dump-run.ts';
import type { ArchiveSections, OpenSection } from './archive-sections.ts';
import type { ProvenData } from './assemble.ts';
import { blockOf, type DataBlockOfFiles, type DumpFolder, type WrittenEntry } from './data-block.ts';
import { idleProcessors } from './idle-processors.ts';
import { proveBlocks } from './prove-blocks.ts';
import type { WrittenEntries } from './written-entries.ts';

/**
 * Proves what pg_dump has written and is writing: complete tables in batches and large ones while they are being
 * written, all at the same time, and large objects at the end.
 */
export class EntryProver {
  readonly #options: DumpOptions;
  readonly #folder: DumpFolder;
  readonly #sections: ArchiveSections;
  readonly #dumpRun: DumpRun;
  readonly #hasTime = idleProcessors();
  /** Growing tables that are being proven. */
  #growing = 0;
  readonly #files: string[] = [];
  #largeObjects: LargeObjects = { count: 0, bytes: 0, hash: sumOf([]) };

  constructor(options: DumpOptions, folder: DumpFolder, sections: ArchiveSections, dumpRun: DumpRun) {
    this.#options = options;
    this.#folder = folder;
    this.#sections = sections;
    this.#dumpRun = dumpRun;
  }

  /**
   * @returns when pg_dump has ended, and everything is proven
   * @throws {Failure} `verificationFailed`
   */
  async proveAll(entries: WrittenEntries): Promise<ProvenData> {
    const { fail, signal } = this.#dumpRun;
    // The failure of one proof ends the others, all of which are awaited.
    const [section] = await Promise.all([
      this.#proveBatches(entries).catch(fail),
      this.#proveGrowing(entries).catch(fail),
    ]);
    signal.throwIfAborted();
    let last = section ?? undefined;
    for (const entry of entries.largeObjects) {
      last = await this.#prove([entry], this.#sections.begin(last));
    }
    return { files: this.#files, ...this.#sections.close(), largeObjects: this.#largeObjects };
  }

  async #proveBatches(entries: WrittenEntries): Promise<OpenSection | undefined> {
    let section: OpenSection | undefined;
    for await (const batch of entries.batches()) {
      section = await this.#prove(batch, this.#sections.begin(section));
    }
    return section;
  }

  async #proveGrowing(entries: WrittenEntries): Promise<void> {
    const proofs: Promise<unknown>[] = [];
    for await (const entry of entries.growing(() => this.#isAnotherWanted())) {
      proofs.push(this.#proveOneGrowing(entry).catch(this.#dumpRun.fail));
    }
    await Promise.all(proofs);
  }

  /** One is always proven, and up to as many as connections if the processors have time for it. */
  #isAnotherWanted(): boolean {
    const hasTime = this.#hasTime();
    return this.#growing === 0 || (hasTime && this.#growing < this.#options.jobs);
  }

  async #proveOneGrowing(entry: WrittenEntry): Promise<void> {
    this.#growing += 1;
    await this.#prove([entry], this.#sections.beginGrowing(entry.id));
    this.#growing -= 1;
  }

  async #prove(batch: readonly WrittenEntry[], section: OpenSection): Promise<OpenSection> {
    this.#dumpRun.signal.throwIfAborted();
    const written: DataBlockOfFiles[] = [];
    for (const entry of batch) {
      written.push(await blockOf(entry, this.#folder));
    }
    this.#files.push(...written.flatMap(({ files }) => files));
    const add = section.add.bind(section);
    const { blocks, largeObjects } = await proveBlocks(this.#options, written, add, this.#dumpRun);
    this.#sections.end(section, blocks);
    this.#largeObjects = {
      count: this.#largeObjects.count + largeObjects.count,
      bytes: this.#largeObjects.bytes + largeObjects.bytes,
      hash: sumOf([this.#largeObjects.hash, largeObjects.hash]),
    };
    return section;
  }
}
