// Reads the command line: which command is meant, and whether what follows is all that it takes.
import { parseArgs } from 'node:util';
import { FloorError } from './errors.ts';

/** What a command was given: words in their order, values by option, flags that were set. */
export interface Given {
  words: readonly string[];
  options: Readonly<Record<string, string | undefined>>;
  flags: ReadonlySet<string>;
}

export interface Command {
  /** What each word after the command stands for, as FOLDER; all of them have to be given. */
  words?: readonly string[];
  /** Options with a value, `--config FILE` or `--config=FILE`. */
  options?: readonly string[];
  /** Options without one. */
  flags?: readonly string[];
  /** Resolves to the exit code. */
  run(given: Given): Promise<number>;
}

/** Commands by their name, which is one word or two. */
export type Commands = Readonly<Record<string, Command>>;

/**
 * Finds the command and reads what it was given. Nothing is guessed and nothing passed over, since
 * a check that was asked for and not made would look like one that was passed: an unknown option,
 * one without its value or given twice, a missing or surplus word throw `main.usage`.
 */
export function readCommandLine(
  commands: Commands,
  typed: readonly string[],
): { command: Command; given: Given } {
  const names = [typed.slice(0, 2).join(' '), typed[0] ?? ''];
  const name = names.find((each) => Object.hasOwn(commands, each));
  const command = name === undefined ? undefined : commands[name];
  if (name === undefined || command === undefined) {
    const known = Object.keys(commands).join(', ');
    throw usage(`There is no command "${names[0]}"; there are ${known}.`);
  }
  return { command, given: read(name, command, typed.slice(name.split(' ').length)) };
}

function read(name: string, command: Command, rest: readonly string[]): Given {
  const { words: wanted = [], options = [], flags = [] } = command;
  const types = new Map<string, 'string' | 'boolean'>([
    ...options.map((option) => [option, 'string'] as const),
    ...flags.map((flag) => [flag, 'boolean'] as const),
  ]);
  const { tokens } = parseArgs({
    args: [...rest],
    options: Object.fromEntries([...types].map(([option, type]) => [option, { type }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const words: string[] = [];
  const values: Record<string, string> = {};
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name: option, rawName, value, inlineValue } = token;
    const type = types.get(option);
    if (type === undefined || !rawName.startsWith('--')) {
      const taken = [...types.keys()].map((each) => `--${each}`).join(', ') || 'none';
      throw usage(`"${name}" has no option ${rawName}; its options are: ${taken}.`);
    }
    if (seen.has(option)) throw usage(`${rawName} stands there twice; give it once.`);
    seen.add(option);
    if (type === 'boolean') {
      if (value !== undefined) throw usage(`${rawName} takes no value; leave "${value}" out.`);
    } else if (!value || (!inlineValue && value.startsWith('-'))) {
      throw usage(`${rawName} has no value; write ${rawName} VALUE or ${rawName}=VALUE.`);
    } else values[option] = value;
  }
  const lacking = wanted.slice(words.length);
  if (lacking.length > 0) throw usage(`"${name}" needs ${lacking.join(' and ')}; name it.`);
  const surplus = words.slice(wanted.length);
  if (surplus.length > 0) {
    throw usage(`"${name}" does not take "${surplus.join(' ')}"; leave it out.`);
  }
  return { words, options: values, flags: new Set(flags.filter((flag) => seen.has(flag))) };
}

const usage = (fault: string) =>
  new FloorError('main.usage', `${fault} "gatehouse help" shows them all.`);
