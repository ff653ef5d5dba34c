import { fileURLToPath } from 'node:url';
import type { Process, Processes } from '../local/host/processes.ts';
import type { Figures, Progress } from './figures.ts';
import type { Message, Shard } from './shard.ts';

const PROGRAM = fileURLToPath(new URL('shard.ts', import.meta.url));

/** In MiB. What a call leaves behind is garbage right away, and is collected less often in a large space. */
const YOUNG_GENERATION = '--max-semi-space-size=64';

/**
 * A process that simulates one world after another, until what runs it is stopped. It is a process and not a thread
 * since V8 shares the code between WebAssembly and JavaScript among all threads of a process, and can crash when
 * several use it at the same time, as Node's TypeScript loader does (`Check failed: jit_page.has_value()`; seen with
 * Node 24.21).
 */
class WorldProcess {
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
}

/**
 * Processes that simulate worlds, as many as are asked for at the same time. Each is kept for the next world: starting
 * one takes half a second, and by then V8 has compiled and optimized the code.
 */
export class WorldProcesses {
  readonly #processes: Processes;
  readonly #idle: WorldProcess[] = [];

  /** @param processes runs these processes, and ends them when it is stopped */
  constructor(processes: Processes) {
    this.#processes = processes;
  }

  /**
   * Simulates a world.
   *
   * @throws {Error} as {@link WorldProcess.run} does
   */
  async run(shard: Shard, onProgress?: (progress: Progress) => void): Promise<Figures> {
    const world = this.#idle.pop() ?? new WorldProcess(this.#processes);
    const figures = await world.run(shard, onProgress);
    this.#idle.push(world);
    return figures;
  }
}
