/**
 * The task sizes that Fargate offers: for each number of vCPUs the range of memory and its increment, in MiB. Source:
 * AWS Fargate, "Task CPU and memory".
 */
const MEMORY_MIB: ReadonlyMap<number, { readonly min: number; readonly max: number; readonly step: number }> = new Map([
  [0.25, { min: 512, max: 2048, step: 512 }],
  [0.5, { min: 1024, max: 4096, step: 1024 }],
  [1, { min: 2048, max: 8192, step: 1024 }],
  [2, { min: 4096, max: 16384, step: 1024 }],
  [4, { min: 8192, max: 30720, step: 1024 }],
  [8, { min: 16384, max: 61440, step: 4096 }],
  [16, { min: 32768, max: 122880, step: 8192 }],
]);

/** Numbers of vCPUs that a job may have. */
export const VCPUS: readonly number[] = [...MEMORY_MIB.keys()];

/** Amounts of memory, in MiB, that Fargate offers with a number of vCPUs; none for a number that it does not offer. */
export function memoryChoices(vcpu: number): readonly number[] {
  const range = MEMORY_MIB.get(vcpu);
  if (!range) {
    return [];
  }
  const choices = Array.from(
    { length: (range.max - range.min) / range.step + 1 },
    (_, i) => range.min + i * range.step,
  );
  // A quarter of a vCPU comes with 512, 1024 or 2048 MiB, but not with 1536.
  return vcpu === 0.25 ? choices.filter((mib) => mib !== 1536) : choices;
}
