#!/usr/bin/env node
// The command line: reads what is asked for, runs it, and is the only place that ends the process.
import { loadConfig } from './config.ts';
import { configMarkdown } from './config-markdown.ts';
import { runDaemon } from './daemon.ts';
import { runDemo } from './demo/demo.ts';
import { FloorError } from './errors.ts';

const help = `Usage: gatehouse COMMAND

  run [--config FILE]           run the floor's daemon (defaults without a file)
  demo [--stay]                 run a whole floor on this machine, with a demo carrier and phones
  config check [--config FILE]  check a configuration, change nothing
  config keys                   every key with its default, range and meaning
  help                          this text
`;

interface Arguments {
  words: readonly string[];
  config?: string;
  flags: ReadonlySet<string>;
}

function readArguments(given: readonly string[]): Arguments {
  const words: string[] = [];
  const flags = new Set<string>();
  let config: string | undefined;
  for (let i = 0; i < given.length; i += 1) {
    const word = given[i] ?? '';
    if (word === '--config') {
      i += 1;
      config = given[i];
      if (config === undefined) throw new FloorError('config.unreadable', '--config needs a file');
    } else if (word.startsWith('--')) flags.add(word.slice(2));
    else words.push(word);
  }
  return { words, flags, ...(config === undefined ? {} : { config }) };
}

/** Runs one command; resolves to the exit code. */
async function dispatch({ words, config, flags }: Arguments): Promise<number> {
  switch (words.join(' ')) {
    case 'run':
      return runDaemon(loadConfig(config));
    case 'demo':
      return runDemo({ stay: flags.has('stay') });
    case 'config check':
      loadConfig(config);
      process.stdout.write(`${config ?? 'The built-in configuration'} is valid.\n`);
      return 0;
    case 'config keys':
      process.stdout.write(configMarkdown());
      return 0;
    case '':
    case 'help':
      process.stdout.write(help);
      return words.length === 0 ? 2 : 0;
    default:
      process.stderr.write(`gatehouse: no command "${words.join(' ')}".\n\n${help}`);
      return 2;
  }
}

try {
  process.exit(await dispatch(readArguments(process.argv.slice(2))));
} catch (cause) {
  if (!(cause instanceof FloorError)) throw cause;
  process.stderr.write(`gatehouse: ${cause.code}: ${cause.message}\n`);
  process.exit(1);
}
