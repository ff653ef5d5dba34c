/** What every command needs from the process it runs in. */
export interface RunContext {
  /** Folders to search for PostgreSQL's client programs, in the format of PATH. */
  readonly searchPath: string;
  /** Reads the PEM bundle of RDS root certificates; called only if certificates are verified. */
  readonly rdsRoots: () => string;
  /** Aborts when the run must end; its reason is the error to report. */
  readonly signal: AbortSignal;
}
