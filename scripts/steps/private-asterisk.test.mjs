// What goes into the private tree, and which Asterisk is accepted there.
import { describe, expect, it } from 'vitest';
import {
  checkVersion,
  debFileStart,
  maxAgeDaysFrom,
  neededInTree,
  treePlaces,
} from './private-asterisk.mjs';

describe('neededInTree', () => {
  it.each(['asterisk', 'asterisk-modules', 'libc6', 'libperl5.42', 'libgpgme45', 'libpam0g'])(
    'keeps %s',
    (name) => expect(neededInTree(name)).toBe(true),
  );
  it.each([
    'perl-base',
    'perl-modules-5.42',
    'gnupg',
    'gpg-agent',
    'gpgsm',
    'debconf',
    'passwd',
    'base-passwd',
    'login.defs',
    'adduser',
    'gcc-16-base',
    'tzdata',
    'pci.ids',
  ])('drops %s', (name) => expect(neededInTree(name)).toBe(false));
});

describe('checkVersion', () => {
  it.each([
    ['Asterisk 22.10.1+dfsg+~cs6.17.60671434-1\n', 22],
    ['Asterisk 23.0.0~dfsg\n', 23],
  ])('accepts %s', (printed, major) => {
    expect(checkVersion(printed).major).toBe(major);
  });
  it.each(['Asterisk 20.9.3', 'Asterisk 9.0.0', 'Asterisk GIT-master', ''])(
    'refuses "%s"',
    (printed) => expect(() => checkVersion(printed)).toThrow(/too old|not a version/),
  );
});

it.each([
  [undefined, 45],
  ['', 45],
  ['0', 0],
  ['10', 10],
])('the bound of the fallback: %s gives %s days', (text, days) => {
  expect(maxAgeDaysFrom(text)).toBe(days);
});

it.each(['-1', '1.5', 'many', '1000'])('the bound cannot be %s', (text) => {
  expect(() => maxAgeDaysFrom(text)).toThrow(/number of days/);
});

it("an epoch's colon is escaped in the file's name", () => {
  const start = debFileStart({ name: 'libcrypt1', version: '1:4.5.2-1' });
  expect(start).toBe('libcrypt1_1%3a4.5.2-1_');
});

it('Asterisk starts by the extracted loader with nothing of the system', () => {
  const { launch } = treePlaces('/t', 'amd64');
  expect(launch[0]).toBe('/t/usr/lib64/ld-linux-x86-64.so.2');
  expect(launch).toContain('--inhibit-cache');
  expect(launch.filter((word) => word.startsWith('/') && !word.startsWith('/t/'))).toEqual([]);
  expect(() => treePlaces('/t', 'riscv64')).toThrow(/riscv64/);
});
