#!/usr/bin/env node
// The command line: reads what is asked for, runs it, and is the only place that ends the process.
import { text } from 'node:stream/consumers';
import { type Commands, type Given, readCommandLine } from './command-line.ts';
import { loadConfig } from './config.ts';
import { configMarkdown } from './config-markdown.ts';
import { runDaemon } from './daemon.ts';
import { runDemo } from './demo/demo.ts';
import { FloorError } from './errors.ts';
import { type KeysAction, runKeys } from './keys-command.ts';
import { runSimulate } from './simulation/simulate.ts';
import { runVerify } from './verify-command.ts';

const help = `Usage: gatehouse COMMAND

  run [--config FILE]             run the floor's daemon (defaults without a file)
  demo [--stay]                   run a whole floor on this machine, with a demo carrier and phones
  verify FOLDER [--item ID] [--key FILE] [--checkpoint FILE]
                                  check a data folder or a copy of one; no daemon is needed
  keys restore [--config FILE]    put the lost master key back from the recovery sheet
  keys rotate [--config FILE]     pass signing on to a new key
  keys replace [--config FILE]    bring in a new signing key for one that was lost
  simulate [--seed N] [--hours H] live one day of a simulated floor, with everything that breaks
  config check [--config FILE]    check a configuration, change nothing
  config keys                     every key with its default, range and meaning
  help                            this text
`;

const commands: Commands = {
  run: { options: ['config'], run: async ({ options }) => runDaemon(loadConfig(options.config)) },
  demo: { flags: ['stay'], run: ({ flags }) => runDemo({ stay: flags.has('stay') }) },
  verify: {
    words: ['FOLDER'],
    options: ['item', 'key', 'checkpoint'],
    run: ({ words: [folder = ''], options: { item, key, checkpoint } }) =>
      runVerify({ folder, item, keyFile: key, checkpointFile: checkpoint }, print),
  },
  'keys restore': { options: ['config'], run: (given) => keys('restore', given) },
  'keys rotate': { options: ['config'], run: (given) => keys('rotate', given) },
  'keys replace': { options: ['config'], run: (given) => keys('replace', given) },
  simulate: { options: ['seed', 'hours'], run: ({ options }) => runSimulate(options) },
  'config check': {
    options: ['config'],
    async run({ options }) {
      loadConfig(options.config);
      return print(`${options.config ?? 'The built-in configuration'} is valid.\n`);
    },
  },
  'config keys': { run: async () => print(configMarkdown()) },
  help: { run: async () => print(help) },
};

const keys = (action: KeysAction, { options }: Given) =>
  runKeys(action, loadConfig(options.config), () => text(process.stdin), print);

function print(said: string): number {
  process.stdout.write(said);
  return 0;
}

const failed = 1;
/** So that a script can tell a wrong command line from a check that found a fault. */
const usageFailed = 2;

try {
  const { command, given } = readCommandLine(commands, process.argv.slice(2));
  process.exit(await command.run(given));
} catch (cause) {
  if (!(cause instanceof FloorError)) throw cause;
  process.stderr.write(`gatehouse: ${cause.code}: ${cause.message}\n`);
  process.exit(cause.code === 'main.usage' ? usageFailed : failed);
}
