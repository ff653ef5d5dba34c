import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { SOCKETS } from './builder.ts';

const SOCKET = 's3';

/** Has a program make all of its HTTP connections to the socket, whatever their host and port. */
const TO_SOCKET = `
  import { Agent } from 'node:http';
  import { connect } from 'node:net';
  Agent.prototype.createConnection = () => connect('${SOCKETS}/${SOCKET}');`;

/** S3 for a container without network: a Unix socket, behind which is S3 and nothing else. */
export class OnlyS3 {
  /** For the program in the container. */
  readonly environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(TO_SOCKET)}` };
  /** The folder with the socket, for everybody. */
  readonly folder: string;
  readonly #server: Server;

  /** @param folder to create. @param port of S3 on this machine */
  static async start(folder: string, port: number): Promise<OnlyS3> {
    await mkdir(folder);
    const server = createServer((socket) => {
      // Whichever side ends a connection, in whatever way, the other one learns of it.
      const s3 = connect(port, '127.0.0.1');
      pipeline(socket, s3, socket, () => s3.destroy());
    });
    server.listen(join(folder, SOCKET));
    await once(server, 'listening');
    await chmod(join(folder, SOCKET), 0o666);
    return new OnlyS3(folder, server);
  }

  private constructor(folder: string, server: Server) {
    this.folder = folder;
    this.#server = server;
  }

  async stop(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}
