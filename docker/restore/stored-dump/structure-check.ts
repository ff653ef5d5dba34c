import { ArchiveReader } from '../../archive/archive-reader.ts';
import { checkOffsets } from '../../archive/archive-structure.ts';
import { Failure } from '../../failure.ts';

/**
 * Follows the structure of a dump while it is fetched. That is for a dump whose checksum was replaced with it, by somebody
 * who may write to the bucket, or that another program has made: pg_restore would notice in the middle.
 */
export class StructureCheck {
  readonly #reader = new ArchiveReader();
  #damage: Failure | undefined;

  /** @returns the same bytes. Damage does not end them: a wrong checksum, which is compared at their end, says more */
  async *follow(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of bytes) {
      this.#attempt(() => {
        this.#reader.read(chunk);
      });
      yield chunk;
    }
  }

  /** @returns what is wrong with all that was followed; undefined if nothing is */
  end(): Failure | undefined {
    this.#attempt(() => {
      checkOffsets(this.#reader.end());
    });
    return this.#damage;
  }

  #attempt(step: () => void): void {
    if (this.#damage !== undefined) {
      return;
    }
    try {
      step();
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      this.#damage = error;
    }
  }
}
