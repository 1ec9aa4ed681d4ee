// Debian's flac, whole and broken: every way it can end is told apart, and a hung one is killed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { seededIds } from '../../ids.ts';
import { decodeFlac, encodeFlac } from './flac.ts';

const folder = mkdtempSync(join(tmpdir(), 'flac-'));
afterAll(() => rmSync(folder, { recursive: true }));

const realFlac = execFileSync('/bin/sh', ['-c', 'command -v flac'], { encoding: 'utf8' }).trim();
const never = new AbortController().signal;
const ids = seededIds(5);
const sound = ids.bytes(400_000);
let made = 0;

async function* inBlocks(): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < sound.length; at += 65_536) yield sound.subarray(at, at + 65_536);
}

/** A program in flac's place. */
function program(script: string): string {
  made += 1;
  const path = join(folder, `program-${made}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

it('gives back what it was given, in a form that stock flac finds sound', async () => {
  const path = join(folder, 'sound.flac');
  expect(await encodeFlac('flac', inBlocks(), path, never)).toEqual({ done: true });
  const pieces: Buffer[] = [];
  const decoded = await decodeFlac('flac', path, (piece) => pieces.push(piece), never);
  expect(decoded).toEqual({ done: true });
  expect(Buffer.concat(pieces).equals(sound)).toBe(true);
  execFileSync('flac', ['--test', '--warnings-as-errors', '--silent', path]);
});

describe('an encoder that', () => {
  const cases: [string, string, string][] = [
    ['is killed', 'kill -9 $$', 'flac-failed'],
    ['ends with an error', 'cat > /dev/null; exit 3', 'flac-failed'],
    ['meets a limit of file size', `ulimit -f 1; exec ${realFlac} "$@"`, 'flac-failed'],
  ];
  it.each(cases)('%s', async (_, script, why) => {
    const ended = await encodeFlac(program(script), inBlocks(), join(folder, 'x.flac'), never);
    expect(ended).toEqual({ done: false, why, detail: expect.any(String) });
  });

  it('is missing, or is no program', async () => {
    for (const name of ['no-such-flac', folder]) {
      const path = join(folder, name);
      const ended = await encodeFlac(path, inBlocks(), join(folder, 'x.flac'), never);
      expect(ended).toMatchObject({ done: false, why: 'flac-missing' });
      expect(await decodeFlac(path, 'x', () => {}, never)).toMatchObject({ why: 'flac-missing' });
    }
  });

  it('meets a full disk', async () => {
    const path = join(folder, 'full.flac');
    symlinkSync('/dev/full', path);
    const ended = await encodeFlac('flac', inBlocks(), path, never);
    expect(ended).toMatchObject({ done: false, why: 'disk-full' });
  });

  it('may not write', async () => {
    const ended = await encodeFlac('flac', inBlocks(), join(folder, 'none', 'x.flac'), never);
    expect(ended).toMatchObject({ done: false, why: 'work-unwritable' });
  });

  it('gets only half, because reading failed', async () => {
    async function* broken(): AsyncGenerator<Buffer, void> {
      yield sound.subarray(0, 8_000);
      throw new Error('EIO');
    }
    const ended = await encodeFlac('flac', broken(), join(folder, 'half.flac'), never);
    expect(ended).toEqual({ done: false, why: 'spool-unreadable', detail: 'EIO' });
  });

  it('hangs is killed at the signal, before and after it has started', async () => {
    const pidFile = join(folder, 'pid');
    const hung = program(`echo $$ > ${pidFile}; exec sleep 600`);
    for (const early of [true, false]) {
      rmSync(pidFile, { force: true });
      const controller = new AbortController();
      if (early) controller.abort();
      const end = encodeFlac(hung, inBlocks(), join(folder, 'x.flac'), controller.signal);
      if (!early) await vi.waitFor(() => expect(readFileSync(pidFile, 'utf8')).toMatch(/\n/));
      controller.abort();
      expect(await end).toMatchObject({ done: false, why: 'deadline' });
      if (!early) expect(existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}`)).toBe(false);
    }
  });
});

it('finds a FLAC that was cut or changed', async () => {
  const path = join(folder, 'whole.flac');
  await encodeFlac('flac', inBlocks(), path, never);
  const whole = readFileSync(path);
  const changed = Buffer.from(whole);
  changed[whole.length >> 1] = (changed[whole.length >> 1] ?? 0) ^ 1;
  for (const bytes of [whole.subarray(0, whole.length >> 1), changed, Buffer.alloc(0)]) {
    writeFileSync(path, bytes);
    const ended = await decodeFlac('flac', path, () => {}, never);
    expect(ended).toEqual({ done: false, why: 'flac-failed', detail: expect.any(String) });
  }
});
