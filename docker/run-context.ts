/** What a run finds around it. */
export interface RunContext {
  /** Folders to look for client programs in, as in PATH. */
  readonly searchPath: string;
  /** Reads the PEM bundle of the roots of RDS; asked for RDS endpoints only. */
  readonly rdsRoots: () => string;
  /** Aborts when the run is to end. */
  readonly signal: AbortSignal;
}
