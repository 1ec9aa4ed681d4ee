// The units as systemd itself reads them: syntax, exposure, users and folders that fit together.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../../src/config.ts';

/** Of ten; 9.6 is a unit without hardening. */
const highestExposure = 2;
const unitFile = 'systemd/gatehouse.service';
const unit = readFileSync(unitFile, 'utf8');

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'gatehouse-'));
});
afterAll(() => rmSync(place, { recursive: true }));

function run(command: string, ...words: string[]) {
  const { stdout, stderr, status, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (error) throw error;
  return { output: stdout + stderr, status };
}

const valuesOf = (key: string) =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].flatMap(([, value = '']) =>
    value.split(' '),
  );

describe('gatehouse.service', () => {
  it('is understood whole', () => {
    expect(run('systemd-analyze', 'verify', '--man=no', unitFile)).toEqual({
      output: '',
      status: 0,
    });
  });

  it(`exposes at most ${highestExposure} of 10`, () => {
    const threshold = `--threshold=${highestExposure * 10}`;
    const { output, status } = run(
      'systemd-analyze',
      'security',
      '--offline=true',
      threshold,
      unitFile,
    );
    const [, level] = /exposure level for gatehouse\.service: ([\d.]+)/.exec(output) ?? [];
    expect(Number(level)).toBeLessThanOrEqual(highestExposure);
    expect(status).toBe(0);
  });

  it('leaves V8 able to compile, and lets systemd-notify speak for the daemon', () => {
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute/m);
    expect(valuesOf('Type')).toEqual(['notify']);
    expect(valuesOf('NotifyAccess')).toEqual(['all']);
    expect(Number(valuesOf('WatchdogSec')[0])).toBeGreaterThan(0);
  });
});

describe('asterisk.service.d/gatehouse.conf', () => {
  it('is understood beside a unit of the site', () => {
    cpSync('systemd/asterisk.service.d', join(place, 'asterisk.service.d'), { recursive: true });
    writeFileSync(join(place, 'asterisk.service'), '[Service]\nExecStart=/bin/true\n');
    const { output } = run(
      'systemd-analyze',
      'verify',
      '--man=no',
      join(place, 'asterisk.service'),
    );
    // A machine that tests this has no Asterisk of its own.
    expect(output.replace(/^.*asterisk is not executable: No such file or directory\n/, '')).toBe(
      '',
    );
  });

  it('starts Asterisk without -G, with which it drops the group it shares', () => {
    const dropIn = readFileSync('systemd/asterisk.service.d/gatehouse.conf', 'utf8');
    expect(dropIn).toMatch(/^ExecStart=\nExecStart=\S+asterisk (?!.*-G)/m);
  });
});

describe('logrotate.conf', () => {
  it('keeps call records for seven days, for their owner only, and also counts quiet days', () => {
    const text = readFileSync('asterisk/site/logrotate.conf', 'utf8');
    const orders = [...text.matchAll(/^ {4}(?!#)(.+)$/gm)].map(([, order]) => order);
    const days = Number(/^ {4}rotate (\d+)$/m.exec(text)?.[1]);
    expect(1 + days).toBe(parseConfig('', '/').retention.cdrDays);
    expect(orders).toContain('daily');
    expect(orders).toContain('ifempty');
    expect(orders).toContain('create 0600 asterisk asterisk');
  });
});

describe('users and folders', () => {
  it('are made without a complaint, and are those that unit and example speak of', () => {
    for (const kind of ['sysusers', 'tmpfiles']) {
      mkdirSync(join(place, `usr/lib/${kind}.d`), { recursive: true });
      cpSync(`systemd/gatehouse.${kind}`, join(place, `usr/lib/${kind}.d/gatehouse.conf`));
    }
    mkdirSync(join(place, 'etc'));
    expect(run('systemd-sysusers', `--root=${place}`).status).toBe(0);
    const { output } = run('systemd-tmpfiles', `--root=${place}`, '--create');
    // Only root may give folders away; the rest of the work is the same for everybody.
    const complaints = output.split('\n').filter((line) => !/^(fchownat.*permitted)?$/.test(line));
    expect(complaints).toEqual([]);
    const users = readFileSync(join(place, 'etc/passwd'), 'utf8');
    const groups = readFileSync(join(place, 'etc/group'), 'utf8');
    expect(users).toMatch(new RegExp(`^${valuesOf('User')[0]}:`, 'm'));
    expect(groups).toMatch(new RegExp(`^${valuesOf('SupplementaryGroups')[0]}:.*:gatehouse$`, 'm'));

    const writable = valuesOf('ReadWritePaths');
    for (const folder of writable) expect(existsSync(join(place, folder)), folder).toBe(true);
    writable.push(`/var/lib/${valuesOf('StateDirectory')[0]}`);
    const { dataDir, keysDir, telephony } = loadConfig('gatehouse.example.yaml');
    const { configDir, secretsDir, spoolDir } = telephony.asterisk;
    for (const folder of [dataDir, keysDir, configDir, secretsDir, spoolDir])
      expect(
        writable.some((path) => folder === path || folder.startsWith(`${path}/`)),
        folder,
      ).toBe(true);
  });
});
