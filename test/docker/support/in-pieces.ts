/** Calls a function with the bytes in pieces of these sizes. */
export function inPieces(bytes: Buffer, sizes: readonly number[], use: (piece: Buffer) => void): void {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    use(bytes.subarray(at, at + size));
    at += size;
  }
}
