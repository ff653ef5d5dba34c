/** Bytes that the stream of a part that is in memory yields at a time. */
const SLICE = 256 * 1024;

/** TLS keeps a copy of everything it is handed until that is sent, so it is handed a little at a time. */
export function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE) {
    yield bytes.subarray(at, at + SLICE);
  }
}
