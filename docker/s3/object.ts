/** Location of a dump in S3. */
export interface DumpObject {
  readonly bucket: string;
  readonly key: string;
}
