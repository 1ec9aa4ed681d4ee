// The CPU time that a process has used, as the kernel counts it (proc(5), /proc/pid/stat).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { niceness } from '../src/worker-thread.ts';

export interface CpuTime {
  /** Its threads but for the encoder: of the daemon's, the one that writes into the vault too. */
  ownMs: number;
  /** Its thread that weaves and hashes the legs of recordings. */
  encoderMs: number;
  /** Children of it that have ended. */
  childrenMs: number;
}

/** USER_HZ is 100 on every architecture that Debian runs on. */
const tickMs = 10;

export function cpuTimeOf(pid: number): CpuTime {
  const whole = readStat(`/proc/${pid}/stat`);
  let encoderMs = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${thread}/stat`;
    // A thread may end between the listing and the look.
    if (!existsSync(path)) continue;
    const { ownMs, nice } = readStat(path);
    if (nice === niceness.encoder) encoderMs += ownMs;
  }
  return { ownMs: whole.ownMs - encoderMs, encoderMs, childrenMs: whole.childrenMs };
}

export function cpuTimeSince(before: CpuTime, pid: number): CpuTime {
  const now = cpuTimeOf(pid);
  return {
    ownMs: now.ownMs - before.ownMs,
    encoderMs: now.encoderMs - before.encoderMs,
    childrenMs: now.childrenMs - before.childrenMs,
  };
}

function readStat(path: string) {
  const text = readFileSync(path, 'utf8');
  // The program's name stands in brackets and may hold anything; field 3 follows it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (field: number) => fields[field - 3] ?? 0;
  return {
    ownMs: (at(14) + at(15)) * tickMs,
    childrenMs: (at(16) + at(17)) * tickMs,
    nice: at(19),
  };
}
