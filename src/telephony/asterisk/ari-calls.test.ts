// Which Asterisk may be driven: by what it answers to /asterisk/info.
import { expect, it } from 'vitest';
import { isTooOld, readVersion } from './ari-calls.ts';

it.each([
  ['22.10.1~dfsg+~cs6.17.60671434-1', false],
  ['20.0.0', false],
  ['certified/20.7-cert5', false],
  ['GIT-22-1a2b3c', false],
  ['19.8.1', true],
  ['18.26.4~dfsg', true],
  ['certified/18.9-cert17', true],
  ['GIT-master-x', true],
  ['', true],
])('version %s is refused: %s', (version, refused) => {
  expect(isTooOld(readVersion({ system: { version } }))).toBe(refused);
});

it('an answer without a version is refused', () => {
  for (const answer of [{}, { system: {} }, { system: { version: 22 } }, null])
    expect(isTooOld(readVersion(answer))).toBe(true);
});
