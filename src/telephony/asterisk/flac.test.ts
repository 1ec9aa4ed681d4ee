// Debian's flac, whole and broken: every way it can end is told apart, and a hung one is killed.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { seededIds } from '../../ids.ts';
import { decodeFlacs, encodeFlacs } from './flac.ts';

const root = mkdtempSync(join(tmpdir(), 'flac-'));
afterAll(() => rmSync(root, { recursive: true }));

const realFlac = execFileSync('/bin/sh', ['-c', 'command -v flac'], { encoding: 'utf8' }).trim();
const never = new AbortController().signal;
const ids = seededIds(5);
const sounds = [ids.bytes(400_000), ids.bytes(4), Buffer.alloc(0), ids.bytes(80_000)];

let folder = '';
const at = (name: string) => join(folder, name);
let raws: string[] = [];
let flacs: string[] = [];
beforeEach(() => {
  folder = join(root, ids.next('test'));
  mkdirSync(folder);
  raws = sounds.map((_, i) => at(`${i}.raw`));
  flacs = sounds.map((_, i) => at(`${i}.flac`));
  for (const [i, sound] of sounds.entries()) writeFileSync(at(`${i}.raw`), sound);
});
const names = () => readdirSync(folder).sort();

/** A program in flac's place. */
function program(script: string): string {
  const path = join(root, ids.next('program'));
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

it('gives back what it was given, in a form that stock flac finds sound', async () => {
  expect(await encodeFlacs('flac', raws, never)).toEqual({ done: true });
  expect(names()).toEqual(['0.flac', '1.flac', '2.flac', '3.flac']);
  // Of an empty stream flac can not tell whether its length was left out.
  for (const i of [0, 1, 3]) {
    execFileSync('flac', ['--test', '--warnings-as-errors', '--silent', at(`${i}.flac`)]);
  }
  expect(await decodeFlacs('flac', flacs, never)).toEqual({ done: true });
  for (const [i, sound] of sounds.entries()) {
    expect(readFileSync(at(`${i}.raw`)).equals(sound), `${i}`).toBe(true);
  }
});

describe('an encoder that', () => {
  const cases: [string, string, string][] = [
    ['is killed', 'kill -9 $$', 'flac-failed'],
    ['ends with an error', 'exit 3', 'flac-failed'],
    ['meets a limit of file size', `ulimit -f 1; exec ${realFlac} "$@"`, 'flac-failed'],
  ];
  it.each(cases)('%s', async (_, script, why) => {
    const ended = await encodeFlacs(program(script), raws, never);
    expect(ended).toEqual({ done: false, why, detail: expect.any(String) });
    expect(names()).toContain('0.raw');
  });

  it('is missing, or is no program', async () => {
    for (const path of [at('no-such-flac'), root]) {
      const missing = { done: false, why: 'flac-missing' };
      expect(await encodeFlacs(path, raws, never)).toMatchObject(missing);
      expect(await decodeFlacs(path, flacs, never)).toMatchObject(missing);
    }
  });

  it('meets a full disk fails that file only', async () => {
    symlinkSync('/dev/full', at('0.flac'));
    const ended = await encodeFlacs('flac', raws, never);
    expect(ended).toMatchObject({ done: false, why: 'disk-full' });
    expect(names()).toEqual(['0.raw', '1.flac', '2.flac', '3.flac']);
  });

  it('may not write', async () => {
    mkdirSync(at('3.flac'));
    const ended = await encodeFlacs('flac', raws, never);
    expect(ended).toMatchObject({ done: false, why: 'work-unwritable' });
    expect(names()).toContain('3.raw');
  });

  it('hangs is killed at the signal, before and after it has started', async () => {
    const pidFile = at('pid');
    const hung = program(`echo $$ > ${pidFile}; exec sleep 60`);
    for (const early of [true, false]) {
      rmSync(pidFile, { force: true });
      const controller = new AbortController();
      if (early) controller.abort();
      const end = encodeFlacs(hung, raws, controller.signal);
      const started = () => expect(readFileSync(pidFile, 'utf8')).toMatch(/\n/);
      if (!early) await vi.waitFor(started, { timeout: 9_000 });
      controller.abort();
      expect(await end).toMatchObject({ done: false, why: 'deadline' });
      if (!early) expect(existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}`)).toBe(false);
    }
  });
});

describe('a decoder', () => {
  it('leaves no raw file of a FLAC that was cut or changed, and decodes the others', async () => {
    await encodeFlacs('flac', raws, never);
    const whole = readFileSync(at('0.flac'));
    const changed = Buffer.from(whole);
    changed[whole.length >> 1] = (changed[whole.length >> 1] ?? 0) ^ 1;
    for (const bytes of [whole.subarray(0, whole.length >> 1), changed, Buffer.alloc(0)]) {
      writeFileSync(at('0.flac'), bytes);
      for (const raw of raws) rmSync(raw, { force: true });
      const ended = await decodeFlacs('flac', flacs, never);
      expect(ended).toEqual({ done: false, why: 'flac-failed', detail: expect.any(String) });
      expect(names().filter((name) => name.endsWith('.raw'))).toEqual(['1.raw', '2.raw', '3.raw']);
    }
  });

  it('writes over nothing', async () => {
    await encodeFlacs('flac', raws, never);
    writeFileSync(at('0.raw'), 'what was to be encoded');
    expect(await decodeFlacs('flac', flacs, never)).toMatchObject({ done: false });
    expect(readFileSync(at('0.raw'), 'utf8')).toBe('what was to be encoded');
  });
});
