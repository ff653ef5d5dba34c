import { ArchiveReader } from '../../archive/archive-reader.ts';
import { type ArchiveStructure, checkOffsets } from '../../archive/archive-structure.ts';
import { Failure } from '../../failure.ts';

/**
 * Follows the structure of a dump while it is fetched. That is for a dump whose checksum was replaced with it, by
 * somebody who may write to the bucket, or that another program has made: pg_restore would notice in the middle.
 */
export class StructureCheck {
  readonly #reader = new ArchiveReader();
  #damage: Failure | undefined;

  /** @returns the same bytes. Damage does not end them: a wrong checksum, which is compared at their end, says more */
  async *follow(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of bytes) {
      this.#read(chunk);
      yield chunk;
    }
  }

  /**
   * @returns the structure of all that was followed
   * @throws {Failure} `verificationFailed` if something is wrong with it
   */
  end(): ArchiveStructure {
    if (this.#damage !== undefined) {
      throw this.#damage;
    }
    const structure = this.#reader.end();
    checkOffsets(structure);
    return structure;
  }

  #read(chunk: Buffer): void {
    if (this.#damage !== undefined) {
      return;
    }
    try {
      this.#reader.read(chunk);
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      this.#damage = error;
    }
  }
}
