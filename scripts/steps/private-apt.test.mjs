// The judgement of apt's answers: what may be forgiven, and what the machine's mirror is.
import { describe, expect, it } from 'vitest';
import {
  chooseMirror,
  expiryWarning,
  onlyExpired,
  plannedPackages,
  releaseFacts,
} from './private-apt.mjs';

const expired =
  'E: Release file for http://mirror.example/debian/dists/sid/InRelease is expired ' +
  '(invalid since 15d 17h 31min 50s). Updates for this repository will not be applied.';

describe('onlyExpired', () => {
  it.each([
    ['one expired Release file', expired, true],
    ['warnings beside it', `W: Download is performed unsandboxed\n${expired}\nN: note`, true],
    ['two expired files', `${expired}\n${expired}`, true],
    ['nothing', '', false],
    ['warnings alone', 'W: An error occurred during the signature verification', false],
    [
      'a bad signature beside it',
      `${expired}\nE: The repository 'http://mirror.example/debian sid InRelease' is not signed.`,
      false,
    ],
    ['a hash mismatch', 'E: Failed to fetch http://mirror.example/x  Hash Sum mismatch', false],
    [
      'a file from the future',
      'E: Release file for http://mirror.example/InRelease is not valid yet ' +
        '(invalid for another 2h). Updates for this repository will not be applied.',
      false,
    ],
    [
      'the words inside another error',
      `E: The repository said "${expired.slice(3)}" but is not signed`,
      false,
    ],
  ])('%s', (_name, stderr, forgiven) => {
    expect(onlyExpired(stderr)).toBe(forgiven);
  });
});

describe('chooseMirror', () => {
  const main = 'http://mirror.example/debian/|main|bookworm|Debian';
  const security = 'http://mirror.example/debian-security/|main|bookworm-security|Debian-Security';
  const other = 'http://vendor.example/apt/|main|stable|Vendor';
  it.each([
    ['the archive itself', [main], 'http://mirror.example/debian/'],
    ['never the security archive', [security, main], 'http://mirror.example/debian/'],
    ['never a vendor', [other, main], 'http://mirror.example/debian/'],
    ['nothing fitting', [security, other], undefined],
    [
      'without Release facts the first that is not security',
      [
        'http://mirror.example/debian-security/|main|bookworm-security|$(LABEL)',
        'http://mirror.example/debian/|main|bookworm|$(LABEL)',
      ],
      'http://mirror.example/debian/',
    ],
    ['no lines', [''], undefined],
  ])('%s', (_name, lines, mirror) => {
    expect(chooseMirror(lines.join('\n'))).toBe(mirror);
  });
});

describe('releaseFacts', () => {
  it('reads both dates as UTC', () => {
    const date = 'Date: Fri, 30 Oct 2026 08:08:01 UTC';
    const text = `Suite: unstable\n${date}\nValid-Until: Fri, 06 Nov 2026 08:08:01 UTC\n`;
    expect(releaseFacts(text)).toEqual({
      dateUtcMs: Date.UTC(2026, 9, 30, 8, 8, 1),
      validUntilUtcMs: Date.UTC(2026, 10, 6, 8, 8, 1),
    });
  });

  it('leaves an absent date undefined', () => {
    expect(releaseFacts('Suite: sid\n').validUntilUtcMs).toBeUndefined();
  });
});

it('the warning names the date, the end of validity and the age in days', () => {
  const release = {
    dateUtcMs: Date.UTC(2026, 9, 30, 8),
    validUntilUtcMs: Date.UTC(2026, 10, 6, 8),
  };
  const text = expiryWarning(release, Date.UTC(2026, 10, 22, 1), 45).join('\n');
  expect(text).toContain('Release date 2026-10-30, valid until 2026-11-06, age 22 days');
  expect(text).toContain('45 days');
});

it('the plan holds what apt would install, in its order, with versions', () => {
  const simulation = [
    'Reading package lists...',
    'Inst libc6 (2.43-7 Debian:unstable [amd64])',
    'Inst libcrypt1 [1:4.4-1] (1:4.5.2-1 Debian:unstable [amd64])',
    'Conf libc6 (2.43-7 Debian:unstable [amd64])',
  ].join('\n');
  expect(plannedPackages(simulation)).toEqual([
    { name: 'libc6', version: '2.43-7' },
    { name: 'libcrypt1', version: '1:4.5.2-1' },
  ]);
});
