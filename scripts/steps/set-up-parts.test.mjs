// The judgements of the other steps: which Node, which packages, which folder others can pass.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingPackages } from './debian-packages.mjs';
import { blockedFolder, mirrorSources } from './reachable-place.mjs';
import { isRightNode } from './right-node.mjs';
import { digestOf } from './stamps.mjs';

describe('isRightNode', () => {
  it.each(['20.19.0', '20.20.2', '22.12.0', '24.0.0', '26.10.0'])('%s is right', (version) => {
    expect(isRightNode(version)).toBe(true);
  });
  it.each(['18.19.0', '20.18.3', '21.7.0', '22.11.0'])('%s is too old', (version) => {
    expect(isRightNode(version)).toBe(false);
  });
});

it('only packages in state installed count', () => {
  const lines = 'make installed\nflac config-files\nopenssl installed\n';
  expect(missingPackages(['make', 'flac', 'openssl', 'g++'], lines)).toEqual(['flac', 'g++']);
});

describe('with a folder of our own', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('the folder that stops other users is named', () => {
    const inner = join(folder, 'open/inner');
    mkdirSync(inner, { recursive: true });
    chmodSync(inner, 0o755);
    chmodSync(join(folder, 'open'), 0o755);
    chmodSync(folder, 0o700);
    expect(blockedFolder(inner)).toBe(folder);
    chmodSync(folder, 0o711);
    expect(blockedFolder(inner)).not.toBe(folder);
    chmodSync(inner, 0o711);
    expect(blockedFolder(inner)).toBe(inner);
  });

  it('a copy of the sources follows them, open to all, and keeps what was made there', () => {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    mkdirSync(join(from, 'src/store'), { recursive: true });
    mkdirSync(join(from, '.git'));
    writeFileSync(join(from, 'src/a.ts'), 'one', { mode: 0o600 });
    writeFileSync(join(from, 'run.sh'), 'two', { mode: 0o700 });
    mirrorSources(from, to);
    expect(statSync(join(to, 'src/a.ts')).mode & 0o777).toBe(0o644);
    expect(statSync(join(to, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(existsSync(join(to, '.git'))).toBe(false);

    mkdirSync(join(to, 'src/store/generated'));
    mkdirSync(join(to, 'node_modules'));
    writeFileSync(join(from, 'src/a.ts'), 'three');
    rmSync(join(from, 'run.sh'));
    writeFileSync(join(from, 'b'), 'four');
    mirrorSources(from, to);
    expect(readFileSync(join(to, 'src/a.ts'), 'utf8')).toBe('three');
    expect(readFileSync(join(to, 'b'), 'utf8')).toBe('four');
    expect(existsSync(join(to, 'run.sh'))).toBe(false);
    expect(existsSync(join(to, 'src/store/generated'))).toBe(true);
    expect(existsSync(join(to, 'node_modules'))).toBe(true);
    const sameMs = statSync(join(to, 'b')).mtimeMs;
    mirrorSources(from, to);
    expect(statSync(join(to, 'b')).mtimeMs).toBe(sameMs);
  });

  it('a digest changes with a file, a word, and where one ends and the next begins', () => {
    const file = join(folder, 'a');
    writeFileSync(file, 'x');
    const seen = [digestOf([], [file]), digestOf(['w'], [file]), digestOf(['ab', 'c'], [file])];
    seen.push(digestOf(['a', 'bc'], [file]));
    writeFileSync(file, 'y');
    seen.push(digestOf([], [file]));
    expect(new Set(seen).size).toBe(seen.length);
  });
});
