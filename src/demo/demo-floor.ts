// The demo's floor: its folder, configuration, carrier and phones, and the list it calls.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dayMs, dayText, hourMs } from '../calendar.ts';
import { loadConfig } from '../config.ts';
import type { Config } from '../config-schema.ts';
import { type Peer, startAgents, startCarrier } from '../telephony/asterisk/demo-peers.ts';

export const demoAgents = 8;
export const demoLeads = 200;
const firstExtension = 8001;
const firstPort = 31_000;
const soundRateHz = 8_000;

/** Ports of the demo; one block, so that a second demo on the machine is refused clearly. */
export const demoPorts = {
  http: firstPort,
  ami: firstPort + 1,
  ari: firstPort + 2,
  sip: firstPort + 3,
  carrier: firstPort + 5,
  carrierControl: firstPort + 6,
  phones: firstPort + 7,
  phonesControl: firstPort + 8,
  rtpFirst: firstPort + 20,
  rtpLast: firstPort + 619,
  carrierMedia: firstPort + 700,
  phonesMedia: firstPort + 1_100,
} as const;

export const demoExtensions = Array.from({ length: demoAgents }, (_, i) =>
  String(firstExtension + i + (i >= 6 ? 1 : 0)),
);

/** A zone in which it is about midday now: the demo keeps the hours of the contact rules too. */
function middayZone(atUtcMs: number): string {
  const hour = Math.floor(atUtcMs / hourMs) % 24;
  const ahead = 12 - hour;
  // POSIX signs in Etc names: Etc/GMT-8 is eight hours ahead of UTC.
  return ahead === 0 ? 'Etc/GMT' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

const pidsFile = (folder: string) => join(folder, 'pids.json');

/** Remembers the programs that the demo started, in case it ends before it can end them. */
export function notePids(folder: string, pids: readonly (number | undefined)[]): void {
  writeFileSync(pidsFile(folder), JSON.stringify(pids.filter((pid) => pid !== undefined)));
}

/** Ends what a demo that was killed left running; only processes that bear this folder's path. */
export function endLeftovers(folder: string): void {
  if (!existsSync(pidsFile(folder))) return;
  for (const pid of JSON.parse(readFileSync(pidsFile(folder), 'utf8')) as number[]) {
    const command = `/proc/${pid}/cmdline`;
    if (!existsSync(command) || !readFileSync(command, 'utf8').includes(folder)) continue;
    process.kill(pid, 'SIGKILL');
  }
}

/** Empties the demo's folder and writes there what a site would write by hand. */
export function layOutDemo(folder: string, setUpFile: string, atUtcMs: number): Config {
  endLeftovers(folder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const year = Number(dayText(Math.floor(atUtcMs / dayMs)).slice(0, 4));
  const zone = middayZone(atUtcMs);
  const sound = writeMessage(join(folder, 'sounds'));
  const lines = [
    '# The demo’s configuration; `npm run demo` writes it anew each time.',
    'dataDir: data',
    'keysDir: keys',
    'site:',
    `  timeZone: ${zone}`,
    '  region: US',
    '  # The demo runs on any day; a site leaves this to the calendar that is built in.',
    '  calendar:',
    ...[year, year + 1].map(
      (each) => `    - { year: ${each}, source: demo, holidays: [], swapped: [] }`,
    ),
    `contact: { zones: [${zone}] }`,
    `http: { port: ${demoPorts.http} }`,
    'telephony:',
    '  asterisk:',
    `    setUpFile: ${setUpFile}`,
    `    amiPort: ${demoPorts.ami}`,
    `    ariPort: ${demoPorts.ari}`,
    `    sipPort: ${demoPorts.sip}`,
    `    rtpFirstPort: ${demoPorts.rtpFirst}`,
    `    rtpLastPort: ${demoPorts.rtpLast}`,
    `  trunks: [{ name: carrier, host: 127.0.0.1, port: ${demoPorts.carrier}, maxLines: 40 }]`,
    '  extensions:',
    ...demoExtensions.map(
      (number) =>
        `    - { number: '${number}', contact: { host: 127.0.0.1, port: ${demoPorts.phones} } }`,
    ),
    `  campaign: { ringMs: 15000, messageSound: ${sound}, wrapUpMs: 6000 }`,
    '  requirements: [agreement-signed]',
    '  minSpoolHours: 1',
    '  minVaultHours: 1',
  ];
  const file = join(folder, 'gatehouse.yaml');
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return loadConfig(file);
}

/** What a person hears whom no agent could take: a neutral name, spoken by espeak-ng. */
function writeMessage(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const spoken = join(folder, 'spoken.wav');
  const words = 'Hello. This is the Gatehouse demonstration. Nobody is free now. Good bye.';
  execFileSync('espeak-ng', ['-v', 'en', '-s', '170', '-w', spoken, words]);
  writeFileSync(join(folder, 'no-agent.wav'), toTelephoneWav(readFileSync(spoken)));
  return join(folder, 'no-agent');
}

/** 16-bit mono WAV at any rate → 8 kHz, by the mean of the samples that fall into each new one. */
function toTelephoneWav(wav: Buffer): Buffer {
  const rateHz = wav.readUInt32LE(24);
  const samples = wav.subarray(44);
  const step = rateHz / soundRateHz;
  const count = Math.floor(samples.length / 2 / step);
  const out = Buffer.alloc(44 + count * 2);
  out.write('RIFF', 0);
  out.writeUInt32LE(36 + count * 2, 4);
  out.write('WAVEfmt ', 8);
  out.writeUInt32LE(16, 16);
  out.writeUInt16LE(1, 20);
  out.writeUInt16LE(1, 22);
  out.writeUInt32LE(soundRateHz, 24);
  out.writeUInt32LE(soundRateHz * 2, 28);
  out.writeUInt16LE(2, 32);
  out.writeUInt16LE(16, 34);
  out.write('data', 36);
  out.writeUInt32LE(count * 2, 40);
  for (let i = 0; i < count; i += 1) {
    const first = Math.floor(i * step);
    const end = Math.max(first + 1, Math.floor((i + 1) * step));
    let sum = 0;
    for (let at = first; at < end; at += 1) sum += samples.readInt16LE(at * 2);
    out.writeInt16LE(Math.round(sum / (end - first)), 44 + i * 2);
  }
  return out;
}

// How often each last digit stands in the list: what it makes the carrier do is in
// telephony/asterisk/sipp-scenarios.ts. Of 20 numbers 13 answer.
const digitsOfTwenty = '99999999777166803325'.split('');

/** A list as a creditor would send it: numbers reserved for fiction (555-0100 to 555-0199). */
export function writeDemoList(folder: string): string {
  const areas = [202, 212, 213, 303, 305, 312, 404, 415, 503, 602, 617, 702, 713, 801, 206, 214];
  const used = new Map<string, number>();
  const rows = Array.from({ length: demoLeads }, (_, i) => {
    const digit = digitsOfTwenty[(i * 7) % 20] ?? '9';
    const turn = used.get(digit) ?? 0;
    used.set(digit, turn + 1);
    const area = areas[Math.floor(turn / 10)];
    const number = `+1 ${area} 555 01${turn % 10}${digit}`;
    return `D-${String(i + 1).padStart(4, '0')},Demo Person ${i + 1},${number},${1_000 + i}.50`;
  });
  const path = join(folder, 'demo-list.csv');
  writeFileSync(path, `reference,name,mobile,amount\n${rows.join('\n')}\n`);
  return path;
}

export interface DemoPeers {
  carrier: Peer;
  phones: Peer;
}

export async function startDemoPeers(folder: string): Promise<DemoPeers> {
  const carrier = await startCarrier(
    {
      folder: join(folder, 'carrier'),
      sipPort: demoPorts.carrier,
      mediaPort: demoPorts.carrierMedia,
      controlPort: demoPorts.carrierControl,
    },
    // So short that the list is done in time on a busy machine too.
    { ringMs: [500, 1_500], talkMs: [2_000, 5_000] },
  );
  const phones = await startAgents({
    folder: join(folder, 'phones'),
    sipPort: demoPorts.phones,
    mediaPort: demoPorts.phonesMedia,
    controlPort: demoPorts.phonesControl,
  });
  return { carrier, phones };
}
