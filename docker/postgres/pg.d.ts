import 'pg';

declare module 'pg' {
  interface ClientConfig {
    /** Most iterations of SCRAM's hash that the server may ask for. */
    readonly scramMaxIterations?: number;
  }
}
