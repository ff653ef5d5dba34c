import { fileURLToPath } from 'node:url';
import type { Process, Processes } from '../local/host/processes.ts';
import type { Figures, Progress } from './figures.ts';
import type { Message, Shard } from './shard.ts';

const PROGRAM = fileURLToPath(new URL('shard.ts', import.meta.url));

/** In MiB. What a call leaves behind is garbage right away, and is collected less often in a large space. */
const YOUNG_GENERATION = '--max-semi-space-size=64';

/**
 * A process that simulates one world after another. It is a process and not a thread since V8 shares the code between
 * WebAssembly and JavaScript among all threads of a process, and can crash when several use it at the same time, as
 * Node's TypeScript loader does (`Check failed: jit_page.has_value()`; seen with Node 24.21).
 */
export class WorldProcess {
  readonly #process: Process;

  constructor(processes: Processes) {
    this.#process = processes.start(process.execPath, [YOUNG_GENERATION, PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
  }

  /**
   * Simulates a world. Only one at a time.
   *
   * @throws {Error} if the process exits before the world ends; an error of the world itself is on standard error
   */
  async run(shard: Shard, onProgress: (progress: Progress) => void = () => undefined): Promise<Figures> {
    const { child, ended } = this.#process;
    let receive: (message: Message) => void = () => undefined;
    const figures = new Promise<Figures>((resolve) => {
      receive = (message) => {
        if (message.kind === 'figures') {
          resolve(message.figures);
        } else {
          onProgress(message.progress);
        }
      };
    });
    const failed = ended.then((how) => {
      const reason = how.kind === 'not started' ? how.error.message : `status ${how.status}`;
      throw new Error(`The process of a world exited too early: ${reason}`);
    });
    child.on('message', receive);
    if (child.connected) {
      // If sending fails, the process has exited, which `failed` reports.
      child.send(shard, () => undefined);
    }
    try {
      return await Promise.race([figures, failed]);
    } finally {
      child.off('message', receive);
    }
  }

  /** Ends the process. Resolves when it has exited. */
  async end(): Promise<void> {
    // Node.js may never emit `close` after `disconnect()`, and `ended` would not resolve.
    this.#process.terminate();
    await this.#process.ended;
  }
}
