import type { ByteSource } from './bad-answer.ts';

declare module 'pg' {
  interface ClientConfig {
    /** Most iterations of SCRAM's hash that the server may ask for. */
    readonly scramMaxIterations?: number;
  }

  interface Connection {
    /** Reads messages from a stream, or from anything that passes on its events `data` and `end`. */
    attachListeners: (stream: ByteSource) => void;
  }
}
