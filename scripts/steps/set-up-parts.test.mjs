// The judgements of the other steps: which Node, which packages, which folder others can pass.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingPackages } from './debian-packages.mjs';
import { blockedFolder } from './reachable-place.mjs';
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
