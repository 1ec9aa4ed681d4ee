// `gatehouse simulate`: lives the day of one seed and prints an account that a person can read.
import { FloorError } from '../errors.ts';
import type { DayReport } from './day.ts';
import { lacksOf, runSeeds, usualHours, violationsOf } from './seeds.ts';

const longestHours = 24;

function wholeNumber(text: string, name: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new FloorError('main.usage', `--${name} needs a whole number from ${least} to ${most}`);
}

export interface SimulateOrder {
  seed?: string | undefined;
  hours?: string | undefined;
}

/** Prints the day; resolves to 0 when every invariant held, to 1 otherwise. */
export async function runSimulate({ seed = '1', hours }: SimulateOrder): Promise<number> {
  const from = wholeNumber(seed, 'seed', 0, Number.MAX_SAFE_INTEGER);
  const length = wholeNumber(hours ?? `${usualHours}`, 'hours', 1, longestHours);
  const days = await runSeeds(from, 1, { hours: length });
  for (const day of days) process.stdout.write(accountOf(day, length));
  return violationsOf(days).length === 0 ? 0 : 1;
}

const nameWidth = 34;

function accountOf(day: DayReport, hours: number): string {
  const { seed, calls, entries, faults, codes, killedBefore, chain } = day;
  const count = (code: string) => codes.get(code) ?? 0;
  const line = (name: string, value: number | string) => `  ${name.padEnd(nameWidth)}${value}`;
  const outcomes = [...codes]
    .filter(([code]) => code.startsWith('call-ended:'))
    .sort(([, a], [, b]) => b - a)
    .map(([code, times]) => line(code.slice('call-ended:'.length), times));
  const violations = violationsOf([day]);
  return [
    `Seed ${seed}: ${hours} hours of a floor of 20 agents, and its closing`,
    '',
    'Calls',
    line('placed into the network', calls),
    line('answered', count('call-answered')),
    line('connected', count('call-connected')),
    line('abandoned', count('call-abandoned')),
    line('contacts withheld by a rule', count('contact-withheld')),
    '',
    'How they ended',
    ...outcomes,
    '',
    'Recordings',
    line('sealed', count('recording-sealed')),
    line('in quarantine, with an alarm', count('recording-quarantined')),
    '',
    'What broke',
    ...[...faults].sort(([, a], [, b]) => b - a).map(([kind, times]) => line(kind, times)),
    '',
    'Killed between record and act of',
    ...(killedBefore.size === 0 ? ['  nothing'] : [...killedBefore].map((kind) => `  ${kind}`)),
    '',
    'Ledger',
    line('entries', entries),
    line('SHA-256 of the last line', chain),
    line('faults, kills, codes it lacked', lacksOf([day]).length),
    '',
    violations.length === 0 ? 'Every invariant held.' : 'Violated:',
    ...violations.map((each) => `  ${each}`),
    '',
  ].join('\n');
}
