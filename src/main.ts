#!/usr/bin/env node
// The command line: reads what is asked for, runs it, and is the only place that ends the process.
import { loadConfig } from './config.ts';
import { configMarkdown } from './config-markdown.ts';
import { runDaemon } from './daemon.ts';
import { runDemo } from './demo/demo.ts';
import { FloorError } from './errors.ts';
import { runVerify } from './verify-command.ts';

const help = `Usage: gatehouse COMMAND

  run [--config FILE]             run the floor's daemon (defaults without a file)
  demo [--stay]                   run a whole floor on this machine, with a demo carrier and phones
  verify FOLDER [--item ID] [--key FILE] [--checkpoint FILE]
                                  check a data folder or a copy of one; no daemon is needed
  config check [--config FILE]    check a configuration, change nothing
  config keys                     every key with its default, range and meaning
  help                            this text
`;

const withValue = ['config', 'item', 'key', 'checkpoint'] as const;
type Option = (typeof withValue)[number];

interface Arguments {
  words: readonly string[];
  options: Readonly<Partial<Record<Option, string>>>;
  flags: ReadonlySet<string>;
}

const isOption = (name: string): name is Option => withValue.some((option) => option === name);

function readArguments(given: readonly string[]): Arguments {
  const words: string[] = [];
  const flags = new Set<string>();
  const options: Partial<Record<Option, string>> = {};
  for (let i = 0; i < given.length; i += 1) {
    const word = given[i] ?? '';
    const name = word.slice(2);
    if (!word.startsWith('--')) words.push(word);
    else if (isOption(name)) {
      i += 1;
      const value = given[i];
      if (value === undefined) throw new FloorError('main.usage', `${word} needs a value`);
      options[name] = value;
    } else flags.add(name);
  }
  return { words, flags, options };
}

/** Runs one command; resolves to the exit code. */
async function dispatch({ words, options, flags }: Arguments): Promise<number> {
  const [command, second] = words;
  if (command === 'verify' && second !== undefined) {
    const { item, key: keyFile, checkpoint: checkpointFile } = options;
    return runVerify({ folder: second, item, keyFile, checkpointFile });
  }
  switch (words.join(' ')) {
    case 'run':
      return runDaemon(loadConfig(options.config));
    case 'demo':
      return runDemo({ stay: flags.has('stay') });
    case 'config check':
      loadConfig(options.config);
      process.stdout.write(`${options.config ?? 'The built-in configuration'} is valid.\n`);
      return 0;
    case 'config keys':
      process.stdout.write(configMarkdown());
      return 0;
    case 'help':
      process.stdout.write(help);
      return 0;
    default:
      throw new FloorError('main.usage', `no command "${words.join(' ')}"\n\n${help}`);
  }
}

try {
  process.exit(await dispatch(readArguments(process.argv.slice(2))));
} catch (cause) {
  if (!(cause instanceof FloorError)) throw cause;
  process.stderr.write(`gatehouse: ${cause.code}: ${cause.message}\n`);
  process.exit(1);
}
